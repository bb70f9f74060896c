// How containers are ended for real: by the shim, and past it by their cgroup.
#pragma once

#include "runtime/core/lifecycle/lifecycle.h"
#include "runtime/core/lifecycle/stopper.h"
#include "runtime/core/shims/hub.h"

#include "cgroups/cgroup.h"

namespace orlop::core {

class ShimStopActions final : public StopActions {
  public:
    ShimStopActions(const State& state, ShimHub& hub, const cgroups::Hierarchies& hierarchies,
                    Lifecycle& lifecycle, const Clock& clock)
        : state_(state), hub_(hub), hierarchies_(hierarchies), lifecycle_(lifecycle), clock_(clock) {}

    Status signal(const ContainerRecord& container) override;
    Status kill(const ContainerRecord& container) override;
    Status force(const ContainerRecord& container) override;
    Status presume_dead(const ContainerRecord& container) override;

  private:
    const State& state_;
    ShimHub& hub_;
    const cgroups::Hierarchies& hierarchies_;
    Lifecycle& lifecycle_;
    const Clock& clock_;
};

}  // namespace orlop::core
