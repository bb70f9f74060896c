// Pod cgroups under the default parent that no record explains. The parent may be shared with another
// orlop-runtime that has other directories, so only those are named that are ours beyond doubt.
#pragma once

#include <string>
#include <vector>

#include "cgroups/driver.h"
#include "runtime/core/paths.h"
#include "runtime/core/state/state.h"

namespace orlop::core {

// Sandbox ids: unknown to `state`, and their shim runs in our state directory.
std::vector<std::string> stray_pods(const cgroups::Driver& driver, const cgroups::Hierarchies& hierarchies,
                                    const State& state, const Paths& paths);

// "orlop-<id>" or "orlop-<id>.scope" -> id; "" for anything else. Pure.
std::string sandbox_of_cgroup(const std::string& name);

}  // namespace orlop::core
