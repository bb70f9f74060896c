#include "runtime/streaming/pump.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace orlop::streaming {

namespace {

constexpr size_t kPart = 32 * 1024;
constexpr int kPartsAtOnce = 4;  // then others have their turn

// Without an open descriptor the pump ends when it is first moved.
void take_over(asio::posix::stream_descriptor& into, UniqueFd fd) {
    Code code;
    into.assign(fd.get(), code);
    if (!code) fd.release();
}

}  // namespace

OutPump::OutPump(asio::any_io_executor executor, UniqueFd fd, std::shared_ptr<Link> link, Channel channel,
                 std::function<void(int)> ended)
    : fd_(executor), link_(std::move(link)), channel_(channel), ended_(std::move(ended)) {
    take_over(fd_, std::move(fd));
}

void OutPump::kick() {
    // A wait for what will not come must not outlast the draining.
    if (!waiting_ || draining_) pump();
}

void OutPump::drain() {
    draining_ = true;
    pump();
}

void OutPump::pump() {
    char part[kPart];
    for (int i = 0;; ++i) {
        if (!fd_.is_open()) return end(EBADF);
        const size_t room = std::min(link_->room(channel_), sizeof part);
        if (room == 0) return;
        if (i < kPartsAtOnce) {
            const ssize_t size = read(fd_.native_handle(), part, room);
            const int error = errno;
            if (size > 0) {
                link_->send(channel_, std::string_view(part, static_cast<size_t>(size)));
                continue;
            }
            if (size < 0 && error == EINTR) continue;
            // A terminal whose last process is gone says EIO.
            if (size == 0 || error == EIO) return end(0);
            if (error != EAGAIN) return end(error);
            if (draining_) return end(0);
        }
        if (std::exchange(waiting_, true)) return;
        fd_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](Code code) {
            self->waiting_ = false;
            if (!code) self->pump();
        });
        return;
    }
}

void OutPump::end(int code) {
    Code ignored;
    fd_.close(ignored);
    if (const auto ended = std::exchange(ended_, nullptr)) ended(code);
}

void OutPump::stop() {
    ended_ = nullptr;
    end(0);
}

InPump::InPump(asio::any_io_executor executor, UniqueFd fd, std::shared_ptr<Link> link, Channel channel,
               std::function<void(int)> ended)
    : fd_(executor), link_(std::move(link)), channel_(channel), ended_(std::move(ended)) {
    take_over(fd_, std::move(fd));
}

void InPump::write(std::string_view bytes) {
    if (is_over() || finishing_) return link_->taken(channel_, bytes.size());
    if (written_ > kPart) held_.erase(0, std::exchange(written_, 0));
    held_ += bytes;
    if (!waiting_) pump();
}

void InPump::finish() {
    finishing_ = true;
    if (!waiting_) pump();
}

void InPump::pump() {
    size_t taken = 0;
    int error = 0;
    while (written_ < held_.size() && error == 0) {
        const ssize_t size =
            ::write(fd_.native_handle(), held_.data() + written_, std::min(held_.size() - written_, kPart));
        if (size < 0) {
            if (errno != EINTR) error = errno;
            continue;
        }
        written_ += static_cast<size_t>(size);
        taken += static_cast<size_t>(size);
    }
    const bool all = written_ == held_.size();
    if (error == EAGAIN) {
        waiting_ = true;
        fd_.async_wait(asio::posix::stream_descriptor::wait_write, [self = shared_from_this()](Code code) {
            self->waiting_ = false;
            if (!code && !self->is_over()) self->pump();
        });
    } else if (error != 0) {
        end(error);
    } else if (finishing_ && all) {
        end(0);
    }
    if (all) {
        held_.clear();
        written_ = 0;
    }
    if (taken > 0) link_->taken(channel_, taken);
}

void InPump::end(int code) {
    if (is_over()) return;
    // For a socket whose other direction goes on through another descriptor.
    ::shutdown(fd_.native_handle(), SHUT_WR);
    Code ignored;
    fd_.close(ignored);
    const size_t lost = held_.size() - std::exchange(written_, 0);
    held_.clear();
    held_.shrink_to_fit();
    if (lost > 0) link_->taken(channel_, lost);
    if (const auto ended = std::exchange(ended_, nullptr)) ended(code);
}

void InPump::stop() {
    ended_ = nullptr;
    end(0);
}

}  // namespace orlop::streaming
