#include "runtime/core/lifecycle/serial_pool.h"

namespace orlop::core {

SerialPool::SerialPool(size_t threads) {
    for (size_t i = 0; i < threads; ++i) {
        lanes_.push_back(std::make_unique<Lane>());
        lanes_.back()->thread = std::thread([lane = lanes_.back().get()] { lane->run(); });
    }
}

SerialPool::~SerialPool() {
    for (auto& lane : lanes_) {
        {
            std::lock_guard lock(lane->mutex);
            lane->closing = true;
            lane->filled.notify_all();
        }
        lane->thread.join();
    }
}

SerialPool::Lane& SerialPool::lane_of(const std::string& key) {
    return *lanes_[std::hash<std::string>()(key) % lanes_.size()];
}

void SerialPool::post(const std::string& key, std::function<void()> task) {
    Lane& lane = lane_of(key);
    std::lock_guard lock(lane.mutex);
    lane.tasks.push_back(std::move(task));
    lane.filled.notify_one();
}

void SerialPool::post_later(const std::string& key, Nanos delay, std::function<void()> task) {
    Lane& lane = lane_of(key);
    std::lock_guard lock(lane.mutex);
    lane.later.emplace(std::chrono::steady_clock::now() + delay, std::move(task));
    lane.filled.notify_one();
}

void SerialPool::Lane::promote_due() {
    while (!later.empty() && later.begin()->first <= std::chrono::steady_clock::now()) {
        tasks.push_back(std::move(later.begin()->second));
        later.erase(later.begin());
    }
}

void SerialPool::Lane::run() {
    std::unique_lock lock(mutex);
    for (;;) {
        promote_due();
        if (tasks.empty() && closing) return;
        if (tasks.empty() && later.empty()) {
            filled.wait(lock);
        } else if (tasks.empty()) {
            filled.wait_until(lock, later.begin()->first);
        } else {
            auto task = std::move(tasks.front());
            tasks.pop_front();
            lock.unlock();
            task();
            task = nullptr;
            lock.lock();
        }
    }
}

}  // namespace orlop::core
