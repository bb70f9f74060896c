// The pods that the manifest folder asks for, as far as the CLI has to know: their names.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
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

// Those that are not among `rows`. A static pod is called <name>-<node>.
std::vector<WantedPod> not_seen(const std::vector<WantedPod>& wanted, const std::vector<PodRow>& rows,
                                const std::string& node);

}  // namespace orlop::cli
