#include "agent/node/event_listener.h"

#include <condition_variable>
#include <mutex>

namespace orlop::agent {

namespace {

constexpr auto kReconnect = std::chrono::seconds(1);
// A runtime that has no stream may be replaced by one that has.
constexpr auto kAskAgain = std::chrono::seconds(60);

}  // namespace

EventListener::EventListener(RuntimeCalls& runtime, Executor& executor,
                             std::function<void(const std::string&)> on_pod,
                             std::function<void(EventStream)> on_state)
    : runtime_(runtime),
      executor_(executor),
      on_pod_(std::move(on_pod)),
      on_state_(std::move(on_state)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void EventListener::run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    const auto tell = [this](EventStream state) { executor_.post([this, state] { on_state_(state); }); };
    while (!stop.stop_requested()) {
        const Status end = runtime_.listen(
            [this](const cri::ContainerEventResponse& event) {
                const std::string uid = event.pod_sandbox_status().metadata().uid();
                // Without a pod the sandbox is gone; the relist that a state change causes finds it.
                if (!uid.empty()) executor_.post([this, uid] { on_pod_(uid); });
            },
            [&] { tell(EventStream::Connected); }, stop);
        const bool unsupported = !end && end.error().kind() == Kind::Unimplemented;
        tell(unsupported ? EventStream::Unsupported : EventStream::Lost);
        std::unique_lock lock(mutex);
        if (unsupported)
            wake.wait_for(lock, stop, kAskAgain, [] { return false; });
        else
            wake.wait_for(lock, stop, kReconnect, [] { return false; });
    }
}

}  // namespace orlop::agent
