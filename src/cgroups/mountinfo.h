// proc_pid_mountinfo(5), as far as cgroup hierarchies need it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orlop::cgroups {

struct MountEntry {
    std::string root;         // of the filesystem, as mounted
    std::string mount_point;  // octal escapes undone
    std::string type;
    std::string super_options;
};

// Lines that are not understood are skipped: the kernel may add fields. Only filesystems whose type begins
// with `type`.
std::vector<MountEntry> parse_mountinfo(std::string_view text, std::string_view type = "");

}  // namespace orlop::cgroups
