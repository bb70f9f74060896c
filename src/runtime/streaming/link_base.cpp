#include "runtime/streaming/link_base.h"

#include <poll.h>

#include <algorithm>

namespace orlop::streaming {

namespace {

constexpr auto kLinger = std::chrono::seconds(5);
constexpr auto kWatch = std::chrono::seconds(1);

}  // namespace

LinkBase::LinkBase(asio::any_io_executor executor, Nanos idle_timeout)
    : idle_timeout_(idle_timeout),
      idle_timer_(executor),
      stopped_timer_(executor),
      closing_timer_(executor),
      last_byte_(std::chrono::steady_clock::now()) {}

void LinkBase::start(std::shared_ptr<LinkUser> user, std::string_view already_read) {
    user_ = std::move(user);
    wait_for_idleness();
    was_read({}, already_read);
}

void LinkBase::go_on_reading() {
    if (over_ || reading_ || processing_) return;
    if (reading_stopped()) return watch_while_stopped();
    reading_ = true;
    start_read();
}

void LinkBase::was_read(Code code, std::string_view bytes) {
    reading_ = false;
    if (over_) return;
    if (code) return abort();
    touch();
    processing_ = true;
    process(bytes);
    processing_ = false;
    go_on_reading();
}

void LinkBase::was_written(Code code, bool counts) {
    if (over_) return;
    if (code) return abort();
    if (counts) touch();
    if (LinkUser* u = user()) u->room_again();
    if (over_) return;
    close_when_sent();
    go_on_reading();
}

void LinkBase::taken(Channel channel, size_t bytes) {
    held_ -= std::min(bytes, held_);
    if (over_) return;
    give_back(channel, bytes);
    go_on_reading();
}

void LinkBase::wait_for_idleness() {
    idle_timer_.expires_at(last_byte_ +
                           std::chrono::duration_cast<std::chrono::steady_clock::duration>(idle_timeout_));
    idle_timer_.async_wait([weak = weak_from_this()](Code code) {
        const auto self = weak.lock();
        if (code || !self || self->over_) return;
        if (std::chrono::steady_clock::now() - self->last_byte_ >= self->idle_timeout_) return self->abort();
        self->wait_for_idleness();
    });
}

// A socket that is not read does not tell that its peer has left.
void LinkBase::watch_while_stopped() {
    if (watching_) return;
    watching_ = true;
    stopped_timer_.expires_after(kWatch);
    stopped_timer_.async_wait([weak = weak_from_this()](Code code) {
        const auto self = weak.lock();
        if (code || !self || self->over_) return;
        self->watching_ = false;
        pollfd peer{.fd = self->stream().socket().native_handle(), .events = POLLRDHUP, .revents = 0};
        if (poll(&peer, 1, 0) > 0) return self->abort();
        if (self->reading_stopped()) self->still_here();
        self->go_on_reading();
    });
}

void LinkBase::close() {
    if (over_ || closing_) return;
    closing_ = true;
    held_ = 0;
    close_when_sent();
    go_on_reading();
}

void LinkBase::close_when_sent() {
    if (!closing_ || leaving_ || over_ || queued() > 0 || writing()) return;
    leaving_ = true;
    if (goodbye_at_once()) say_goodbye();
    leave();
}

// The client has its last bytes: it leaves by itself, or is told to, or is left.
void LinkBase::leave() {
    closing_timer_.expires_after(kLinger);
    closing_timer_.async_wait([weak = weak_from_this()](Code code) {
        const auto self = weak.lock();
        if (code || !self || self->over_) return;
        if (self->goodbye_at_once()) return self->abort();
        self->say_goodbye();
        self->closing_timer_.expires_after(kLinger);
        self->closing_timer_.async_wait([weak](Code again) {
            const auto still = weak.lock();
            if (!again && still) still->abort();
        });
    });
}

void LinkBase::abort() {
    if (over_) return;
    over_ = true;
    const auto self = shared_from_this();
    stream().close();
    idle_timer_.cancel();
    stopped_timer_.cancel();
    closing_timer_.cancel();
    if (const auto user = std::move(user_)) user->gone();
}

}  // namespace orlop::streaming
