#include "runtime/core/lifecycle/events.h"

#include <utility>

namespace orlop::core {

std::optional<Event> EventBus::Subscription::next(Nanos wait) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, wait, [&] { return !queue_.empty() || closed_; });
    if (queue_.empty()) return std::nullopt;
    Event event = std::move(queue_.front());
    queue_.pop_front();
    return event;
}

uint64_t EventBus::Subscription::take_dropped() {
    std::lock_guard lock(mutex_);
    return std::exchange(dropped_, 0);
}

bool EventBus::Subscription::closed() const {
    std::lock_guard lock(mutex_);
    return closed_ && queue_.empty();
}

std::vector<std::shared_ptr<EventBus::Subscription>> EventBus::live() {
    std::vector<std::shared_ptr<Subscription>> out;
    std::erase_if(subscribers_, [&](const auto& weak) {
        auto strong = weak.lock();
        if (strong) out.push_back(std::move(strong));
        return weak.expired();
    });
    return out;
}

std::shared_ptr<EventBus::Subscription> EventBus::subscribe() {
    std::lock_guard lock(mutex_);
    if (live().size() >= kMaxSubscribers) return nullptr;
    auto made = std::make_shared<Subscription>();
    made->closed_ = closed_;
    subscribers_.push_back(made);
    return made;
}

void EventBus::publish(const Event& event) {
    // Held throughout, so that all subscribers see one order.
    std::lock_guard lock(mutex_);
    for (const auto& subscriber : live()) {
        std::lock_guard queue(subscriber->mutex_);
        if (subscriber->queue_.size() >= kQueue) {
            ++subscriber->dropped_;
            continue;
        }
        subscriber->queue_.push_back(event);
        subscriber->filled_.notify_one();
    }
}

void EventBus::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& subscriber : live()) {
        std::lock_guard queue(subscriber->mutex_);
        subscriber->closed_ = true;
        subscriber->filled_.notify_all();
    }
}

}  // namespace orlop::core
