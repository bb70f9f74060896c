// A few threads for work that may block, in order for each key (a pod).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace orlop::core {

class SerialPool {
  public:
    explicit SerialPool(size_t threads);
    // Finishes what is queued.
    ~SerialPool();
    SerialPool(const SerialPool&) = delete;
    SerialPool& operator=(const SerialPool&) = delete;

    void post(const std::string& key, std::function<void()> task);

  private:
    struct Lane {
        std::mutex mutex;
        std::condition_variable filled;
        std::deque<std::function<void()>> tasks;
        bool closing = false;
        std::thread thread;
        void run();
    };
    std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace orlop::core
