// /proc/PID/cgroup, cgroups(7): in which cgroup of each hierarchy a process is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cgroups/cgroup.h"

namespace orlop::cgroups {

struct Membership {
    std::vector<std::string> controllers;  // "memory", "name=systemd"; none = v2
    std::string path;                      // as this process's cgroup namespace shows it
};

// Lines that are not understood are skipped.
std::vector<Membership> parse_memberships(std::string_view text);

// The calling process's cgroup, relative to the mounts of `h`: where relative cgroupsPaths begin. On v1,
// where one may be in a different place of each hierarchy, "/" unless all agree.
Result<std::string> current_cgroup(const Hierarchies& h, const std::string& proc = "/proc");

}  // namespace orlop::cgroups
