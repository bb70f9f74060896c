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

void SerialPool::post(const std::string& key, std::function<void()> task) {
    Lane& lane = *lanes_[std::hash<std::string>()(key) % lanes_.size()];
    std::lock_guard lock(lane.mutex);
    lane.tasks.push_back(std::move(task));
    lane.filled.notify_one();
}

void SerialPool::Lane::run() {
    std::unique_lock lock(mutex);
    for (;;) {
        filled.wait(lock, [&] { return !tasks.empty() || closing; });
        if (tasks.empty()) return;
        auto task = std::move(tasks.front());
        tasks.pop_front();
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
    }
}

}  // namespace orlop::core
