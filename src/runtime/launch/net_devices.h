// Network devices of the host that a container gets for itself (runtime-spec config-linux.md, "Network
// Devices").
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

// Moves each into the network namespace of `pid` (or of `net`, when that is a path), under its new name, with
// its addresses (but those of the kernel's own making), up. By rtnetlink(7).
Status move_net_devices(const std::vector<NetDevice>& devices, const Namespace& net, pid_t pid);

}  // namespace orlop::launch
