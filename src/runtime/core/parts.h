// What the handlers that change pods and containers work with. Made by main; nothing here is owned.
#pragma once

#include "base/clock.h"
#include "cgroups/driver.h"
#include "images/store.h"
#include "netns/cni.h"
#include "runtime/core/lifecycle/announcer.h"
#include "runtime/core/lifecycle/lifecycle.h"
#include "runtime/core/lifecycle/stopper.h"
#include "runtime/core/networks.h"
#include "runtime/core/paths.h"
#include "runtime/core/shims/hub.h"
#include "runtime/core/shims/launcher.h"
#include "runtime/core/state/state.h"
#include "runtime/plan/plan.h"

namespace orlop::core {

struct Parts {
    State& state;
    ShimHub& hub;
    ShimLauncher& launcher;
    netns::CniRunner& cni;
    Networks& networks;
    cgroups::Driver& driver;
    const cgroups::Hierarchies& hierarchies;
    images::Store& images;
    const plan::NodeFacts& facts;
    plan::SeccompCache& seccomp;
    const Paths& paths;
    const Clock& clock;
    Announcer& announcer;
    Lifecycle& lifecycle;
    Stopper& stopper;

    cgroups::Cgroup cgroup_of(const SandboxRecord& sandbox) const {
        return cgroups::Cgroup(hierarchies, sandbox.cgroup_path);
    }
    cgroups::Cgroup cgroup_of(const SandboxRecord& sandbox, const std::string& container) const {
        return cgroup_of(sandbox).child(container);
    }
};

}  // namespace orlop::core
