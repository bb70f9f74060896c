#include "runtime/streaming/wire.h"

#include <boost/asio/write.hpp>

namespace orlop::streaming {

namespace {

class SocketWire final : public Wire {
  public:
    explicit SocketWire(std::unique_ptr<ClientStream> stream) : stream_(std::move(stream)) {}

    void read(asio::mutable_buffer into, Handler handler) override {
        stream_->async_read_some(into, std::move(handler));
    }
    void write(std::string_view bytes, Handler handler) override {
        asio::async_write(*stream_, asio::buffer(bytes), std::move(handler));
    }
    void finish(Handler handler) override {
        stream_->async_finish([handler = std::move(handler)](Code code) { handler(code, 0); });
    }
    ClientStream& stream() override { return *stream_; }

  private:
    std::unique_ptr<ClientStream> stream_;
};

class WebSocketWire final : public Wire {
  public:
    WebSocketWire(std::unique_ptr<ClientStream> stream, std::unique_ptr<WebSocket> socket)
        : stream_(std::move(stream)), socket_(std::move(socket)) {
        socket_->binary(true);
    }

    void read(asio::mutable_buffer into, Handler handler) override {
        socket_->async_read_some(into, std::move(handler));
    }
    void write(std::string_view bytes, Handler handler) override {
        socket_->async_write(asio::buffer(bytes), std::move(handler));
    }
    void finish(Handler handler) override {
        socket_->async_close(beast::websocket::close_code::normal,
                             [handler = std::move(handler)](Code code) { handler(code, 0); });
    }
    ClientStream& stream() override { return *stream_; }

  private:
    std::unique_ptr<ClientStream> stream_;
    std::unique_ptr<WebSocket> socket_;
};

}  // namespace

std::unique_ptr<Wire> socket_wire(std::unique_ptr<ClientStream> stream) {
    return std::make_unique<SocketWire>(std::move(stream));
}

std::unique_ptr<Wire> websocket_wire(std::unique_ptr<ClientStream> stream,
                                     std::unique_ptr<WebSocket> socket) {
    return std::make_unique<WebSocketWire>(std::move(stream), std::move(socket));
}

}  // namespace orlop::streaming
