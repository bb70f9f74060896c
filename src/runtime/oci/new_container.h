// create and run: from a bundle to a container that waits at its gate or runs.
#pragma once

#include <string>

#include "base/result.h"
#include "cgroups/cgroup.h"
#include "runtime/launch/launch.h"
#include "runtime/oci/call.h"
#include "runtime/oci/record.h"
#include "runtime/oci/spec/spec.h"
#include "runtime/oci/store.h"

namespace orlop::oci {

struct NewContainer {
    ContainerDir dir;  // locked
    Record record;
    Hooks hooks;
    launch::Launching process;
    cgroups::Hierarchies hierarchies;
};

// How it is to be started.
struct Manner {
    bool gated = false;     // create: it waits to be started
    bool detached = false;  // nobody here will wait for it
};

// What fails is undone: process, cgroup, poststop hooks, state directory.
Result<NewContainer> make_container(const Settings& settings, const RunOptions& options, Manner manner);

}  // namespace orlop::oci
