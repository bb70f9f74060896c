// Pod and container configurations as crictl reads them (the CRI messages in JSON, proto field names).
#pragma once

#include <string>
#include <vector>

#include "harness/crictl.h"
#include "harness/node.h"

namespace orlop::it {

// A pod of namespace "it" with a log directory of its own on the node; pod network, pids by container.
Json pod_config(const Node& node, const std::string& name);
// The same on the host's network.
Json host_pod_config(const Node& node, const std::string& name);
// `script` runs under /bin/sh of the busybox image; logs go to <name>.log in the pod's log directory.
Json shell_config(const std::string& name, const std::string& script);
Json command_config(const std::string& name, std::vector<std::string> command);

// Ends at once when it gets SIGTERM, as a shell as PID 1 without a trap does not.
inline constexpr const char* kSleepUntilStopped = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

}  // namespace orlop::it
