// Everything that `status` shows of a node, and how it is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/agent_client.h"
#include "cli/options.h"

namespace orlop::cli {

struct NodeView {
    std::string name;
    std::optional<AgentStatus> agent;  // absent: only the runtime answers
    std::string runtime_version;       // "orlop 0.1.0"; "" when the runtime does not answer
    std::vector<NodeCondition> conditions;
    std::vector<PodRow> pods;
    std::vector<std::string> notes;  // such as that no agent answers
};

std::string node_text(const NodeView& view, Nanos now);
std::string node_json(const NodeView& view, Nanos now);

// Asks the agent, and the runtime for what the agent does not know or when there is none. Unavailable when
// neither answers.
Result<NodeView> look_at_node(const Common& common);

}  // namespace orlop::cli
