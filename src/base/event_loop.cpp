#include "base/event_loop.h"

#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <climits>

namespace orlop {

struct EventLoop::Entry {
    int fd = -1;
    std::function<void(uint32_t)> on_fd;
    std::function<void()> on_timer;
    std::multimap<Nanos, uint64_t>::iterator timer;
    UniqueFd owned;  // signalfd
};

Watch::Watch(Watch&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), id_(other.id_) {}

Watch& Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        reset();
        loop_ = std::exchange(other.loop_, nullptr);
        id_ = other.id_;
    }
    return *this;
}

void Watch::reset() {
    if (loop_ != nullptr) std::exchange(loop_, nullptr)->remove(id_);
}

Result<std::unique_ptr<EventLoop>> EventLoop::make() {
    UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return Error::sys("epoll_create1");
    UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake) return Error::sys("eventfd");
    epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) return Error::sys("epoll_ctl");
    return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake)));
}

EventLoop::~EventLoop() = default;

Result<Watch> EventLoop::add_fd(int fd, uint32_t events, std::function<void(uint32_t)> callback) {
    const uint64_t id = next_id_++;
    epoll_event event{.events = events, .data = {.u64 = id}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return Error::sys("epoll_ctl add");
    auto entry = std::make_shared<Entry>();
    entry->fd = fd;
    entry->on_fd = std::move(callback);
    entries_.emplace(id, std::move(entry));
    return Watch(this, id);
}

Status EventLoop::modify(const Watch& watch, uint32_t events) {
    const auto at = entries_.find(watch.id_);
    if (watch.loop_ != this || at == entries_.end())
        return Error::invalid("modify: not a watch of this loop");
    epoll_event event{.events = events, .data = {.u64 = watch.id_}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, at->second->fd, &event) != 0)
        return Error::sys("epoll_ctl mod");
    return ok();
}

Watch EventLoop::add_timer(Nanos at, std::function<void()> callback) {
    const uint64_t id = next_id_++;
    auto entry = std::make_shared<Entry>();
    entry->on_timer = std::move(callback);
    entry->timer = timers_.emplace(at, id);
    entries_.emplace(id, std::move(entry));
    return Watch(this, id);
}

Watch EventLoop::add_timer_in(Nanos delay, std::function<void()> callback) {
    return add_timer(SystemClock().monotonic() + delay, std::move(callback));
}

Result<Watch> EventLoop::add_signal(int signal, std::function<void()> callback) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    if (const int e = pthread_sigmask(SIG_BLOCK, &set, nullptr); e != 0)
        return Error::sys("pthread_sigmask", e);
    UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return Error::sys("signalfd");
    const int raw = fd.get();
    Watch watch = TRY(add_fd(raw, EPOLLIN, [raw, call = std::move(callback)](uint32_t) {
        signalfd_siginfo info;
        while (::read(raw, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) call();
    }));
    entries_.at(watch.id_)->owned = std::move(fd);
    return watch;
}

Result<Watch> EventLoop::add_pidfd(int pidfd, std::function<void()> callback) {
    return add_fd(pidfd, EPOLLIN, [call = std::move(callback)](uint32_t) { call(); });
}

void EventLoop::remove(uint64_t id) {
    const auto at = entries_.find(id);
    if (at == entries_.end()) return;
    // The entry may be the one running right now: keep it alive until its callback returns (see run_once).
    if (at->second->on_timer) {
        if (at->second->timer != timers_.end()) timers_.erase(at->second->timer);
    } else {
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, at->second->fd, nullptr);
    }
    entries_.erase(at);
}

void EventLoop::post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
    eventfd_write(wake_.get(), 1);
}

void EventLoop::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    eventfd_write(wake_.get(), 1);
}

Status EventLoop::run() {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (stopped_) return ok();
        }
        TRY(run_once(Nanos(-1)));
    }
}

void EventLoop::run_posted() {
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock(mutex_);
        tasks.swap(posted_);
    }
    for (auto& task : tasks) task();
}

void EventLoop::run_timers() {
    const Nanos now = SystemClock().monotonic();
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const uint64_t id = timers_.begin()->second;
        timers_.erase(timers_.begin());
        const auto at = entries_.find(id);
        const std::shared_ptr<Entry> entry = at->second;
        entry->timer = timers_.end();
        entries_.erase(at);
        entry->on_timer();
    }
}

int EventLoop::timeout_ms(Nanos max) const {
    Nanos wait = max;
    if (!timers_.empty()) {
        const Nanos until = std::max(timers_.begin()->first - SystemClock().monotonic(), Nanos(0));
        wait = max < Nanos(0) ? until : std::min(max, until);
    }
    if (wait < Nanos(0)) return -1;
    // Rounded up: waking early would spin until the timer is due.
    const auto ms = std::chrono::ceil<Millis>(wait).count();
    return static_cast<int>(std::min<int64_t>(ms, INT_MAX));
}

Status EventLoop::run_once(Nanos max) {
    std::array<epoll_event, 64> events{};
    const int n = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms(max));
    if (n < 0 && errno != EINTR) return Error::sys("epoll_wait");
    for (int i = 0; i < n; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if (event.data.u64 == 0) {
            eventfd_t count = 0;
            eventfd_read(wake_.get(), &count);
            continue;
        }
        const auto at = entries_.find(event.data.u64);
        if (at == entries_.end()) continue;  // removed by an earlier callback of this round
        const std::shared_ptr<Entry> entry = at->second;
        entry->on_fd(event.events);
    }
    run_posted();
    run_timers();
    return ok();
}

Result<InotifyWatch> InotifyWatch::make(EventLoop& loop, const std::string& path, uint32_t mask,
                                        std::function<void(const Event&)> callback) {
    InotifyWatch out;
    out.fd_ = UniqueFd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!out.fd_) return Error::sys("inotify_init1");
    if (inotify_add_watch(out.fd_.get(), path.c_str(), mask) < 0)
        return Error::sys("inotify_add_watch " + path);
    const int raw = out.fd_.get();
    out.watch_ = TRY(loop.add_fd(raw, EPOLLIN, [raw, call = std::move(callback)](uint32_t) {
        alignas(inotify_event) char buffer[8192];
        // One read a wake-up: the callback may destroy this watch, and with it the fd.
        const ssize_t n = ::read(raw, buffer, sizeof buffer);
        std::vector<Event> batch;
        for (ssize_t at = 0; at < n;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
            batch.push_back({event->mask, event->len != 0 ? std::string(event->name) : std::string()});
            at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        }
        const auto keep = call;
        for (const Event& event : batch) keep(event);
    }));
    return out;
}

}  // namespace orlop
