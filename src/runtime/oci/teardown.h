// Ending a container and removing what it holds.
#pragma once

#include <vector>

#include "base/result.h"
#include "cgroups/cgroup.h"
#include "runtime/launch/plan.h"
#include "runtime/oci/call.h"
#include "runtime/oci/record.h"
#include "runtime/oci/store.h"

namespace orlop::oci {

// SIGKILL to all of its processes, frozen ones too; waits for the first of them to end.
Status kill_container(const Record& record, const cgroups::Hierarchies& hierarchies);

// cgroup, poststop hooks (their failures are only logged), state directory, in this order. `dir` is locked.
Status remove_container(const Settings& settings, const ContainerDir& dir, const Record& record,
                        const cgroups::Hierarchies& hierarchies, const std::vector<launch::Hook>& poststop);

// The hooks of a container made by an earlier command; none, with a warning, if its config.json is
// unreadable.
struct LaterHooks {
    std::vector<launch::Hook> poststart, poststop;
};
LaterHooks later_hooks(const Settings& settings, const ContainerDir& dir, const Record& record,
                       const cgroups::Hierarchies& hierarchies);

// A container that runs is not stopped for them: failures are only logged.
void run_poststart(const Settings& settings, const Record& record, const std::vector<launch::Hook>& hooks);

}  // namespace orlop::oci
