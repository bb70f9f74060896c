// The agent's status socket: GET /status and GET /pods.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/pod_row.h"

namespace orlop::cli {

struct NodeCondition {
    std::string type;  // Runtime, Network
    bool ok = false;
    std::string reason;
    std::string message;
};

struct ManifestError {
    std::string file;
    std::string message;
};

struct AgentStatus {
    std::string node;
    std::string version;  // of the agent; may be empty
    std::vector<NodeCondition> conditions;
    std::vector<ManifestError> manifest_errors;
    std::vector<std::string> warnings;
};

Result<AgentStatus> parse_agent_status(const std::string& text);

Result<AgentStatus> agent_status(const std::string& socket_path, Nanos timeout);
Result<std::vector<PodRow>> agent_pods(const std::string& socket_path, Nanos timeout);

}  // namespace orlop::cli
