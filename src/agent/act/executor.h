// Blocking work off the loop: a job runs on a thread of the pool, what it returns runs in the loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/event_loop.h"

namespace orlop::agent {

using Continuation = std::function<void()>;
using Job = std::function<Continuation()>;

enum class Lane {
    Calls,  // answers within the runtime's request timeout
    Pulls,  // one at a time, may take minutes
};

class Executor {
  public:
    virtual ~Executor() = default;
    virtual void submit(Lane lane, Job job) = 0;
    // From any thread: runs in the loop.
    virtual void post(Continuation continuation) = 0;
};

// Threads start when there is work for them and stay: at most `limit`.
class ThreadPool {
  public:
    ThreadPool(EventLoop& loop, size_t limit) : loop_(loop), limit_(limit) {}
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    // Waits for the jobs that run; those that have not begun are dropped.
    ~ThreadPool();
    void submit(Job job);

  private:
    void run();

    EventLoop& loop_;
    const size_t limit_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;  // guarded by mutex_, as are the next two
    size_t idle_ = 0;
    bool stop_ = false;
    std::vector<std::thread> threads_;
};

class PoolExecutor final : public Executor {
  public:
    explicit PoolExecutor(EventLoop& loop, size_t calls = 8)
        : loop_(loop), calls_(loop, calls), pulls_(loop, 1) {}
    void submit(Lane lane, Job job) override {
        (lane == Lane::Calls ? calls_ : pulls_).submit(std::move(job));
    }
    void post(Continuation continuation) override { loop_.post(std::move(continuation)); }

  private:
    EventLoop& loop_;
    ThreadPool calls_;
    ThreadPool pulls_;
};

}  // namespace orlop::agent
