// Giving back all that a sandbox has outside of its record. Every step may be repeated and finds nothing to
// do the second time; it is the way out of StopPodSandbox, of a failed RunPodSandbox and of recovery alike.
#pragma once

#include "runtime/core/parts.h"

namespace orlop::core {

// Runs every step even if one fails; the error has them all.
Status tear_down(Parts& parts, const SandboxRecord& sandbox);

// Ends the shim: asked first, then killed. `sandbox` need not have a record (an orphan).
Status end_shim(ShimHub& hub, const Paths& paths, const std::string& sandbox, int32_t shim_pid);

// The pod's /dev/shm and its directory.
Status release_shm(const Paths& paths, const std::string& sandbox);

// What CNI is told about a sandbox.
netns::Attachment attachment_of(const SandboxRecord& sandbox);
bool host_network(const cri::PodSandboxConfig& config);
bool host_ipc(const cri::PodSandboxConfig& config);

}  // namespace orlop::core
