// /proc/self/mountinfo (proc(5)), and where a process's cgroups are.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::it {

struct MountEntry {
    std::string point;
    std::string type;
    std::string options;  // of the superblock: names the controllers of a v1 hierarchy
};
std::vector<MountEntry> mount_table();

// The directory of the process's cgroup in the hierarchy of a v1 controller, or with "" in cgroup2.
Result<std::string> cgroup_of(pid_t pid, const std::string& controller);
// One of its files, without the last newline. Names differ between the versions: `v2` is read where
// /sys/fs/cgroup is cgroup2, else `v1` of `controller`.
Result<std::string> cgroup_value(pid_t pid, const std::string& controller, const std::string& v1,
                                 const std::string& v2);

}  // namespace orlop::it
