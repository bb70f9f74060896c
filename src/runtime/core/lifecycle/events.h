// Lifecycle events for GetContainerEvents: each subscriber has its own bounded queue; one that does not read
// loses the newest and is told how many.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "cri/api.pb.h"

namespace orlop::core {

namespace cri = ::runtime::v1;

using Event = std::shared_ptr<const cri::ContainerEventResponse>;

class EventBus {
  public:
    static constexpr size_t kQueue = 1024;  // events a subscriber may lag behind

    class Subscription {
      public:
        // The next event; nothing after `wait` without one or when the bus is closed.
        std::optional<Event> next(Nanos wait);
        // How many were lost since the last call.
        uint64_t take_dropped();
        bool closed() const;

      private:
        friend class EventBus;
        mutable std::mutex mutex_;
        std::condition_variable filled_;
        std::deque<Event> queue_;  // guarded by mutex_, as all below
        uint64_t dropped_ = 0;
        bool closed_ = false;
    };

    // Ends when the returned pointer goes. Null when there are too many already.
    std::shared_ptr<Subscription> subscribe();
    void publish(const Event& event);
    // Ends every subscription, for the daemon's own end.
    void close();

  private:
    static constexpr size_t kMaxSubscribers = 16;  // each holds a server thread
    std::vector<std::shared_ptr<Subscription>> live();
    std::mutex mutex_;
    std::vector<std::weak_ptr<Subscription>> subscribers_;  // guarded by mutex_
    bool closed_ = false;                                   // guarded by mutex_
};

}  // namespace orlop::core
