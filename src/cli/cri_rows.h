// Pods as the runtime alone knows them, for when no agent answers. Pure.
#pragma once

#include <vector>

#include "cli/pod_row.h"
#include "cri/api.pb.h"

namespace orlop::cli {

// One row a pod: of several sandboxes of a pod (same uid) the latest attempt, of several containers of a name
// too. READY counts running containers, for the runtime knows no probes; RESTARTS are the attempts.
std::vector<PodRow> rows_of_sandboxes(const std::vector<runtime::v1::PodSandboxStatusResponse>& sandboxes);

}  // namespace orlop::cli
