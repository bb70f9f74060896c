#include "runtime/streaming/spdy_link.h"

#include <algorithm>

namespace orlop::streaming {

SpdyLink::SpdyLink(std::unique_ptr<Wire> wire, Nanos idle_timeout)
    : LinkBase(wire->stream().get_executor(), idle_timeout), wire_(std::move(wire)) {}

void SpdyLink::start_read() {
    wire_->read(asio::buffer(input_), [self = shared_from_this(), this](Code code, size_t size) {
        was_read(code, std::string_view(input_.data(), size));
    });
}

void SpdyLink::process(std::string_view bytes) {
    while (!over()) {
        auto event = connection_.next(bytes);
        if (!event) {
            connection_.go_away(spdy::Away::ProtocolError);
            flush();
            return abort();
        }
        if (!*event) break;
        std::visit([this](const auto& e) { handle(e); }, **event);
    }
    flush();
    // A window may have grown.
    if (user() != nullptr) user()->room_again();
}

void SpdyLink::handle(const spdy::Opened& event) {
    if (user() == nullptr || !user()->opened(event.stream, event.headers))
        return connection_.reset(event.stream, spdy::Rst::RefusedStream);
    connection_.accept(event.stream);
    if (event.fin && user() != nullptr) user()->finished(event.stream, false);
}

void SpdyLink::handle(const spdy::Received& event) {
    if (user() == nullptr) return connection_.consumed(event.stream, event.bytes.size());
    hold(event.bytes.size());
    if (!event.bytes.empty()) user()->received(event.stream, event.bytes);
    if (event.fin && user() != nullptr) user()->finished(event.stream, false);
}

void SpdyLink::handle(const spdy::WasReset& event) {
    if (user() != nullptr) user()->finished(event.stream, true);
}

// It opens no further streams; those that are open go on.
void SpdyLink::handle(const spdy::PeerLeft&) {
    if (closing() || connection_.streams() == 0) abort();
}

void SpdyLink::give_back(Channel channel, size_t bytes) {
    connection_.consumed(channel, bytes);
    flush();
}

size_t SpdyLink::room(Channel channel) const {
    if (queued() >= kMaxQueued) return 0;
    return std::min(kMaxQueued - queued(), connection_.window(channel));
}

void SpdyLink::send(Channel channel, std::string_view bytes) {
    connection_.send(channel, bytes);
    flush();
}

void SpdyLink::finish(Channel channel) {
    connection_.finish(channel);
    flush();
}

void SpdyLink::flush() {
    if (writing_ || over()) return;
    if (connection_.output().empty()) {
        if (std::exchange(finishing_, false)) wire_->finish([self = shared_from_this()](Code, size_t) {});
        return;
    }
    writing_ = true;
    sending_.clear();
    sending_.swap(connection_.output());
    wire_->write(sending_, [self = shared_from_this(), this](Code code, size_t) {
        writing_ = false;
        const bool counts = !std::exchange(pulse_, false);
        if (!code) flush();
        was_written(code, counts);
    });
}

// A client that is gone while what it sent is not read cannot say so: its end waits behind that. But its
// kernel answers what is sent to it by a reset. It must be nothing a client answers, as one that is there may
// be blocked in its writing.
void SpdyLink::still_here() {
    if (writing_ || queued() > 0) return;
    pulse_ = true;
    connection_.say_nothing();
    flush();
}

void SpdyLink::say_goodbye() {
    connection_.go_away(spdy::Away::Ok);
    finishing_ = true;
    flush();
}

}  // namespace orlop::streaming
