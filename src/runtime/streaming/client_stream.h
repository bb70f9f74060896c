// A client's socket, with TLS or without, as one type of stream for Beast.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <optional>
#include <utility>

namespace orlop::streaming {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using Code = boost::system::error_code;

class ClientStream {
  public:
    using executor_type = tcp::socket::executor_type;

    // `tls`: null without TLS.
    ClientStream(tcp::socket socket, asio::ssl::context* tls) : socket_(std::move(socket)) {
        if (tls != nullptr) tls_.emplace(socket_, *tls);
    }

    executor_type get_executor() { return socket_.get_executor(); }
    tcp::socket& socket() { return socket_; }

    // TLS's; at once without it.
    template <class Handler>
    void handshake(Handler handler) {
        if (tls_) return tls_->async_handshake(asio::ssl::stream_base::server, std::move(handler));
        asio::post(socket_.get_executor(), [handler = std::move(handler)]() mutable { handler(Code()); });
    }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        return asio::async_initiate<Token, void(Code, size_t)>(
            [this](auto handler, const Buffers& b) {
                if (tls_)
                    tls_->async_read_some(b, std::move(handler));
                else
                    socket_.async_read_some(b, std::move(handler));
            },
            token, buffers);
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        return asio::async_initiate<Token, void(Code, size_t)>(
            [this](auto handler, const Buffers& b) {
                if (tls_)
                    tls_->async_write_some(b, std::move(handler));
                else
                    socket_.async_write_some(b, std::move(handler));
            },
            token, buffers);
    }

    // The end of what is written; what arrives can still be read. The handler gets a Code.
    template <class Handler>
    void async_finish(Handler handler) {
        if (tls_) return tls_->async_shutdown(std::move(handler));
        shutdown_send();
        asio::post(socket_.get_executor(), [handler = std::move(handler)]() mutable { handler(Code()); });
    }
    void shutdown_send() {
        Code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
    }
    void close() {
        Code ignored;
        socket_.close(ignored);
    }

  private:
    tcp::socket socket_;
    std::optional<asio::ssl::stream<tcp::socket&>> tls_;
};

// What beast::websocket::stream asks of its next layer, found by argument-dependent lookup.
inline void teardown(beast::role_type, ClientStream& stream, Code& code) {
    stream.shutdown_send();
    code = {};
}
template <class Handler>
void async_teardown(beast::role_type, ClientStream& stream, Handler&& handler) {
    stream.async_finish(std::forward<Handler>(handler));
}
inline void beast_close_socket(ClientStream& stream) {
    stream.close();
}

}  // namespace orlop::streaming
