// A few threads for work that may block, in order for each key (a pod).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace orlop::core {

class SerialPool {
  public:
    explicit SerialPool(size_t threads);
    // Finishes what is queued.
    ~SerialPool();
    SerialPool(const SerialPool&) = delete;
    SerialPool& operator=(const SerialPool&) = delete;

    void post(const std::string& key, std::function<void()> task);
    // Not before `delay` is over; dropped when the pool ends first.
    void post_later(const std::string& key, Nanos delay, std::function<void()> task);

  private:
    struct Lane {
        std::mutex mutex;
        std::condition_variable filled;
        std::deque<std::function<void()>> tasks;
        std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> later;
        bool closing = false;
        std::thread thread;
        void run();
        void promote_due();
    };
    Lane& lane_of(const std::string& key);
    std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace orlop::core
