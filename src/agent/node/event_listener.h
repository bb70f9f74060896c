// Follows the runtime's event stream in a thread of its own, and connects again when it breaks.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "agent/act/cri.h"
#include "agent/act/executor.h"
#include "agent/node/pod_manager.h"

namespace orlop::agent {

class EventListener {
  public:
    // Both callbacks run in the loop; `on_pod` gets a pod's UID.
    EventListener(RuntimeCalls& runtime, Executor& executor, std::function<void(const std::string&)> on_pod,
                  std::function<void(EventStream)> on_state);

  private:
    void run(const std::stop_token& stop);

    RuntimeCalls& runtime_;
    Executor& executor_;
    std::function<void(const std::string&)> on_pod_;
    std::function<void(EventStream)> on_state_;
    std::jthread thread_;
};

}  // namespace orlop::agent
