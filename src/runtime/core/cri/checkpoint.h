// CheckpointContainer, CheckpointPod, RestorePod: refused with the reason, once what they name is found.
#pragma once

#include "runtime/core/state/state.h"

namespace orlop::core {

Status checkpoint_container(const State& state, const cri::CheckpointContainerRequest& request);
Status checkpoint_pod(const State& state, const cri::CheckpointPodRequest& request);
Status restore_pod();

}  // namespace orlop::core
