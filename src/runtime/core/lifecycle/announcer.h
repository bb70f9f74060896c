// Turns a change into the event that subscribers get: the pod and all its containers as they are after it.
#pragma once

#include <string>

#include "base/clock.h"
#include "runtime/core/lifecycle/events.h"
#include "runtime/core/state/state.h"

namespace orlop::core {

class Announcer {
  public:
    Announcer(const State& state, EventBus& bus, const Clock& clock)
        : state_(state), bus_(bus), clock_(clock) {}

    // `id` is the container's, or the sandbox's own.
    void announce(cri::ContainerEventType type, const std::string& id, const std::string& sandbox);
    // A removed container, which is in no record any more.
    void announce_deleted(const ContainerRecord& container);

  private:
    const State& state_;
    EventBus& bus_;
    const Clock& clock_;
};

}  // namespace orlop::core
