#include "runtime/shim/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace orlop::shim {

Result<std::unique_ptr<Input>> Input::make(EventLoop& loop, UniqueFd sink, bool once) {
    if (fcntl(sink.get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("make the input non-blocking");
    return std::unique_ptr<Input>(new Input(loop, std::move(sink), once));
}

Status Input::feed(UniqueFd feeder) {
    // Closed already: its writer learns that by EPIPE.
    if (!sink_) return ok();
    if (fcntl(feeder.get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("make the input non-blocking");
    const auto at = feeders_.insert(feeders_.end(), {std::move(feeder), {}});
    if (!pending_.empty()) return ok();
    Status heard = listen_to(at);
    if (!heard) feeders_.erase(at);
    return heard;
}

Status Input::listen_to(Feeders::iterator feeder) {
    feeder->watch =
        TRY(loop_.add_fd(feeder->fd.get(), EPOLLIN, [this, feeder](uint32_t) { read_from(feeder); }));
    return ok();
}

void Input::read_from(Feeders::iterator feeder) {
    std::array<char, 16384> buffer;
    const ssize_t n = read(feeder->fd.get(), buffer.data(), buffer.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) {
        pending_.assign(buffer.data(), static_cast<size_t>(n));
    } else {
        // The callback that runs is the watch's own: the loop keeps it alive until it returns.
        feeders_.erase(feeder);
        over_ = over_ || once_;
    }
    flush();
}

void Input::flush() {
    while (!pending_.empty()) {
        const ssize_t n = write(sink_.get(), pending_.data(), pending_.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return wait(true);
        if (n < 0) return close();  // nobody reads it any more
        pending_.erase(0, static_cast<size_t>(n));
    }
    if (over_) return close();
    wait(false);
}

// Either the container is waited for, or the feeders: never more than one buffer is held. epoll(7) tells a
// hang-up even to who asks for nothing, so those that have to wait are taken off.
void Input::wait(bool for_sink) {
    if (for_sink == static_cast<bool>(sink_watch_)) return;
    if (for_sink) {
        for (Feeder& feeder : feeders_) feeder.watch.reset();
        auto watch = loop_.add_fd(sink_.get(), EPOLLOUT, [this](uint32_t) { flush(); });
        if (!watch) return close();
        sink_watch_ = std::move(*watch);
        return;
    }
    sink_watch_.reset();
    for (auto at = feeders_.begin(); at != feeders_.end(); ++at) {
        if (!listen_to(at)) return close();
    }
}

void Input::close() {
    sink_watch_.reset();
    pending_.clear();
    feeders_.clear();
    sink_.reset();
}

}  // namespace orlop::shim
