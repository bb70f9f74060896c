// The pods that the manifest folder asks for, as far as the CLI has to know: their names.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/agent_client.h"
#include "cli/pod_row.h"

namespace orlop::cli {

struct WantedPod {
    std::string file;
    std::string ns;
    std::string name;
};

// The Pod documents of one file. What cannot be read is left out: the agent reports it, and why.
std::vector<WantedPod> wanted_pods(const std::string& file, const std::string& text);
// Of every file in the folder but hidden ones. A folder that does not exist has none.
Result<std::vector<WantedPod>> wanted_pods_in(const std::string& folder);

// Those that are not among the agent's pods; a static pod is called <name>-<node>. A file that the agent has
// found an error in is not waited for.
std::vector<WantedPod> not_seen(const std::vector<WantedPod>& wanted, const std::vector<PodRow>& rows,
                                const AgentStatus& agent);

}  // namespace orlop::cli
