// The cgroups that the agent makes for pods: /kubepods, its QoS classes and the pods in them, in every
// hierarchy of this machine. `down` removes those of the pods that it ended.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::cli {

// Directories below a hierarchy where the cgroup of a pod may be, cgroupfs and systemd spelling. Pure.
//   kubepods/burstable/pod<uid>
//   kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid with _>.slice
std::vector<std::string> pod_cgroup_paths(const std::string& uid);
// The systemd slice that the second form ends with, for each QoS class.
std::vector<std::string> pod_slices(const std::string& uid);

// The slices above the pods' that have no pod in any hierarchy below `root`, in the order to stop them. Each
// is judged as if those before it were gone.
std::vector<std::string> unused_parent_slices(const std::string& root);

struct CgroupsLeft {
    int removed = 0;
    std::vector<std::string> in_use;  // still have processes or cgroups of somebody else
};

// `root` is /sys/fs/cgroup. Removes the cgroups of these pods where they hold no process, then the QoS
// classes and kubepods itself where nothing is left in them.
CgroupsLeft remove_pod_cgroups(const std::string& root, const std::vector<std::string>& uids);

}  // namespace orlop::cli
