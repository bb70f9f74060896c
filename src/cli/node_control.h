// Starting and stopping the daemons of a node: as systemd units where systemd is PID 1, else below a
// supervisor of our own.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/node_paths.h"
#include "cli/options.h"

namespace orlop::cli {

class NodeControl {
  public:
    virtual ~NodeControl() = default;
    // Is the thing that keeps the daemons running there?
    virtual Result<bool> running() = 0;
    virtual Status start(const NodeOptions& options) = 0;
    virtual Status stop_agent() = 0;
    // The runtime, and the agent if it still runs; pods stay.
    virtual Status stop() = 0;
    // Why a daemon ("runtime", "agent") that does not answer will not: empty while there is hope.
    virtual std::string trouble(const std::string& daemon) = 0;
    // Where the log of a daemon is, for messages.
    virtual std::string log_hint(const std::string& daemon) const = 0;
};

// sd_booted(3).
bool systemd_is_pid1();

std::unique_ptr<NodeControl> make_systemd_control(const NodePaths& paths);
std::unique_ptr<NodeControl> make_supervised_control(const NodePaths& paths);
std::unique_ptr<NodeControl> make_control(const NodePaths& paths);

// The directory of this program.
Result<std::string> own_directory();

}  // namespace orlop::cli
