// A small epoll loop for one thread: fds, timers, signals, pidfds, inotify. sd-bus attaches by its fd.
#pragma once

#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop {

class EventLoop;

// A registration; destroying or resetting it ends the callbacks. It must not outlive the loop.
class Watch {
  public:
    Watch() = default;
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch() { reset(); }
    void reset();
    explicit operator bool() const { return loop_ != nullptr; }

  private:
    friend class EventLoop;
    Watch(EventLoop* loop, uint64_t id) : loop_(loop), id_(id) {}
    EventLoop* loop_ = nullptr;
    uint64_t id_ = 0;
};

class EventLoop {
  public:
    static Result<std::unique_ptr<EventLoop>> make();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    // `events` are EPOLLIN etc. (level-triggered). The fd stays the caller's and must stay open.
    Result<Watch> add_fd(int fd, uint32_t events, std::function<void(uint32_t)> callback);
    Status modify(const Watch& watch, uint32_t events);
    // Once, at a time of CLOCK_MONOTONIC (SystemClock::monotonic).
    Watch add_timer(Nanos at, std::function<void()> callback);
    Watch add_timer_in(Nanos delay, std::function<void()> callback);
    // Blocks the signal for this thread (and threads it starts later) and reports it here (signalfd(2)).
    Result<Watch> add_signal(int signal, std::function<void()> callback);
    // When the process has exited; the fd is the caller's.
    Result<Watch> add_pidfd(int pidfd, std::function<void()> callback);

    // From any thread: runs `task` in the loop's thread.
    void post(std::function<void()> task);
    // Runs until stop(); returns at once if stop() was called before.
    Status run();
    // One round: waits at most `max` (negative: until something happens) and runs what is due.
    Status run_once(Nanos max);
    // From any thread.
    void stop();

  private:
    friend class Watch;
    struct Entry;
    EventLoop(UniqueFd epoll, UniqueFd wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}
    void remove(uint64_t id);
    void run_posted();
    void run_timers();
    int timeout_ms(Nanos max) const;

    UniqueFd epoll_;
    UniqueFd wake_;
    uint64_t next_id_ = 1;
    std::unordered_map<uint64_t, std::shared_ptr<Entry>> entries_;
    std::multimap<Nanos, uint64_t> timers_;
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;  // guarded by mutex_
    bool stopped_ = false;                       // guarded by mutex_
};

// inotify(7) for one directory or file.
class InotifyWatch {
  public:
    struct Event {
        uint32_t mask;     // IN_* bits
        std::string name;  // the entry of the watched directory; empty for the watched thing itself
    };
    static Result<InotifyWatch> make(EventLoop& loop, const std::string& path, uint32_t mask,
                                     std::function<void(const Event&)> callback);

  private:
    UniqueFd fd_;
    Watch watch_;
};

}  // namespace orlop
