#include "runtime/streaming/websocket_link.h"

#include "base/base64.h"

namespace orlop::streaming {

namespace {

constexpr unsigned char kCloseChannel = 255;

}  // namespace

WebSocketLink::WebSocketLink(std::unique_ptr<ClientStream> stream, std::unique_ptr<WebSocket> socket,
                             MessageFormat format, Channel channels, Nanos idle_timeout)
    : LinkBase(stream->get_executor(), idle_timeout),
      stream_(std::move(stream)),
      socket_(std::move(socket)),
      format_(format),
      channels_(channels) {
    socket_->text(format_.base64);
}

void WebSocketLink::start_read() {
    socket_->async_read_some(asio::buffer(input_), [self = shared_from_this(), this](Code code, size_t size) {
        was_read(code, std::string_view(input_.data(), size));
    });
}

// A part of a message, or its whole; Beast says whether it is the last part.
void WebSocketLink::process(std::string_view bytes) {
    if (!in_message_) {
        if (bytes.empty()) return;
        const auto first = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        in_message_ = true;
        is_close_ = format_.close_messages && first == kCloseChannel;
        channel_ = format_.base64 ? static_cast<Channel>(first) - '0' : first;
        carry_.clear();
    }
    const bool last = socket_->is_message_done();
    if (last) in_message_ = false;
    if (user() == nullptr) return;
    if (is_close_) {
        if (bytes.empty()) return;
        const Channel closed = static_cast<unsigned char>(bytes.front());
        if (closed < channels_) user()->finished(closed, false);
        return;
    }
    if (channel_ >= channels_) return;
    if (format_.base64) return deliver_base64(bytes, last);
    deliver(bytes);
}

void WebSocketLink::deliver(std::string_view bytes) {
    if (bytes.empty()) return;
    hold(bytes.size());
    user()->received(channel_, bytes);
}

void WebSocketLink::deliver_base64(std::string_view text, bool last) {
    carry_ += text;
    const size_t whole = carry_.size() - carry_.size() % 4;
    if (last && whole != carry_.size()) return abort();
    const auto bytes = base64_decode(std::string_view(carry_).substr(0, whole));
    if (!bytes) return abort();
    carry_.erase(0, whole);
    deliver(*bytes);
}

size_t WebSocketLink::room(Channel) const {
    return queued_ >= kMaxQueued ? 0 : kMaxQueued - queued_;
}

void WebSocketLink::send(Channel channel, std::string_view bytes) {
    if (over()) return;
    std::string message(1, static_cast<char>(format_.base64 ? '0' + channel : channel));
    message += format_.base64 ? base64_encode(bytes) : std::string(bytes);
    queued_ += message.size();
    messages_.push_back(std::move(message));
    write_next();
}

void WebSocketLink::write_next() {
    if (writing_ || messages_.empty() || over()) return;
    writing_ = true;
    socket_->async_write(asio::buffer(messages_.front()),
                         [self = shared_from_this(), this](Code code, size_t) {
                             writing_ = false;
                             queued_ -= messages_.front().size();
                             messages_.pop_front();
                             if (!code) write_next();
                             was_written(code);
                         });
}

// A client that pings closes the connection when nothing answers, though all it waits for is that its input
// be read. A pong needs no ping (RFC 6455, section 5.5.3).
void WebSocketLink::still_here() {
    if (std::exchange(ponging_, true)) return;
    socket_->async_pong({}, [self = shared_from_this(), this](Code) { ponging_ = false; });
}

void WebSocketLink::say_goodbye() {
    socket_->async_close(beast::websocket::close_code::normal,
                         [self = shared_from_this()](Code) { self->abort(); });
}

}  // namespace orlop::streaming
