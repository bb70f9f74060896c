// Command lines and configuration of the two daemons of a node. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/node_paths.h"
#include "cli/options.h"

namespace orlop::cli {

struct DaemonSpec {
    std::string name;  // "runtime", "agent"
    std::vector<std::string> argv;
    std::string after_socket = {};  // started once somebody listens there, or after a few seconds anyway
};

DaemonSpec runtime_daemon(const NodePaths& paths, const NodeOptions& options);
DaemonSpec agent_daemon(const NodePaths& paths, const NodeOptions& options);

// The KubeletConfiguration that the CLI makes for the agent. A node that is not the default one does not take
// the kubelet's healthz port, which the machine has once.
std::string agent_config(const NodePaths& paths, const NodeOptions& options);

// <run>/node.json.
std::string node_options_json(const NodeOptions& options);
Result<NodeOptions> parse_node_options(const std::string& text);

// A transient unit: systemd-run with the settings of the unit files in systemd/.
std::vector<std::string> systemd_run(const NodePaths& paths, const DaemonSpec& daemon);
// "orlop-dev-runtime.service"
std::string unit_name(const NodePaths& paths, std::string_view daemon);

}  // namespace orlop::cli
