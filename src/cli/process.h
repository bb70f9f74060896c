// Processes of a node as they are remembered on disk: a pid alone may have been given to somebody else since.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop::cli {

struct ProcessId {
    pid_t pid = -1;
    uint64_t start = 0;  // field 22 of proc(5) stat: clock ticks since boot; never the same for a reused pid
    bool operator==(const ProcessId&) const = default;
};

// NotFound when there is no such process, or a zombie.
Result<ProcessId> identify(pid_t pid);

// A pidfd of exactly this process; empty when it has ended.
UniqueFd open_process(const ProcessId& process);

// What the supervisor knows of one daemon.
struct DaemonState {
    std::string name;
    ProcessId process;      // pid -1: not running now
    int restarts = 0;       // after it died
    std::string last_exit;  // "exit 2", "signal 9"; "" before the first
};

// <run>/supervisor.json.
std::string daemon_states_json(const std::vector<DaemonState>& states);
Result<std::vector<DaemonState>> parse_daemon_states(const std::string& text);
// Missing file: none.
Result<std::vector<DaemonState>> read_daemon_states(const std::string& path);

// SIGTERM, and SIGKILL when `grace` is over. Ends when the process has. It need not be a child.
Status terminate(const ProcessId& process, Nanos grace);
// False at the deadline.
Result<bool> wait_end(const UniqueFd& pidfd, Nanos timeout);

// A lock file (fcntl(2), F_SETLK): held by a living process or not at all.
class LockFile {
  public:
    // Exists when another process holds it.
    static Result<LockFile> take(const std::string& path);
    static std::optional<pid_t> holder(const std::string& path);

  private:
    explicit LockFile(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

// "exit 2" or "signal 9" of a wait status.
std::string describe_exit(int wait_status);

}  // namespace orlop::cli
