#include "agent/act/executor.h"

namespace orlop::agent {

void ThreadPool::submit(Job job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_.size() < limit_) threads_.emplace_back([this] { run(); });
    wake_.notify_one();
}

void ThreadPool::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
        --idle_;
        if (stop_) return;
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        Continuation next = job();
        if (next) loop_.post(std::move(next));
        lock.lock();
    }
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        jobs_.clear();
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

}  // namespace orlop::agent
