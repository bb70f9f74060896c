// What a cgroup's limits are before they are changed, so that a change that fails half way can be taken back.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cgroups/cgroup.h"

namespace orlop::cgroups {

// Files and their content, as the kernel wrote it.
using SavedLimits = std::vector<std::pair<std::string, std::string>>;

// Of the files that Cgroup::apply(change) would write; device rules are not among them.
Result<SavedLimits> save_limits(const Cgroup& cgroup, const Resources& change);
Status restore_limits(const SavedLimits& saved);

// All of it or nothing: what was written is taken back when something fails.
Status apply_or_restore(const Cgroup& cgroup, const Resources& change);

}  // namespace orlop::cgroups
