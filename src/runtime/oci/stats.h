// A container's use of resources, in the shape that runc's `events` prints.
#pragma once

#include <string>
#include <string_view>

#include "cgroups/cgroup.h"

namespace orlop::oci {

// {"type":"stats","id":...,"data":{"cpu":...,"memory":...,"pids":...,"blkio":...,"hugetlb":...}}; what the
// kernel does not tell is left out or 0.
std::string stats_event(const std::string& id, const cgroups::Cgroup& cgroup);
std::string oom_event(const std::string& id);

}  // namespace orlop::oci
