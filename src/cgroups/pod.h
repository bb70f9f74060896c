// What both drivers do inside a pod's cgroup, by plain file access; inside the module only.
#pragma once

#include "cgroups/driver.h"

namespace orlop::cgroups {

inline constexpr Nanos kKillTimeout = std::chrono::seconds(10);
inline constexpr Nanos kRemoveTimeout = std::chrono::seconds(5);

// The pod's cgroup with its leaf "shim" holding request.pids, and controllers enabled for further leaves.
Status fill_pod(const Hierarchies& h, const std::string& path, const PodRequest& request);
// Kills what is left in it and removes it; missing is fine.
Status empty_pod(const Cgroup& pod);

}  // namespace orlop::cgroups
