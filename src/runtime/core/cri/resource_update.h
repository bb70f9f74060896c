// UpdateContainerResources and UpdatePodSandboxResources.
#pragma once

#include "runtime/core/parts.h"

namespace orlop::core {

// What is given over what there was: 0 and "" leave a field as it is, maps are joined. "No swap", a limit of
// both that equals the one of memory, stays "no swap". The OOM score stays: it is the process's, not the
// cgroup's.
cri::LinuxContainerResources merged(cri::LinuxContainerResources old,
                                    const cri::LinuxContainerResources& change);

// container_update.cpp: all of it or nothing, in the cgroup of a running container and in the record. Exited
// containers have no limits any more: Precondition.
Status update_container(Parts& parts, const cri::UpdateContainerResourcesRequest& request, Nanos wait);

// sandbox_update.cpp: on record, for status and info. No cgroup is written: limits of a pod are those of the
// agent's cgroup around ours; a second, older set of them in here would stand in the way of containers that
// grow.
Status update_sandbox(Parts& parts, const cri::UpdatePodSandboxResourcesRequest& request, Nanos wait);

}  // namespace orlop::core
