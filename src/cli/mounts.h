// The mount points of this machine below a directory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orlop::cli {

// Mount points at or below one of `dirs`, the last mounted first: the order to unmount them in. `mountinfo`
// is the text of /proc/self/mountinfo (proc(5)), with its octal escapes. Pure.
std::vector<std::string> mounts_below(std::string_view mountinfo, const std::vector<std::string>& dirs);

Result<std::vector<std::string>> current_mounts_below(const std::vector<std::string>& dirs);

}  // namespace orlop::cli
