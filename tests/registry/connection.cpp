#include "connection.h"

#include <poll.h>

#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

#include "sender.h"

namespace orlop::test_registry {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using Message = http::request<http::string_body>;

Request request_of(const Message& message) {
    Request request;
    request.method = message.method_string().to_string();
    split_target(message.target().to_string(), request);
    for (const auto& field : message) {
        std::string name = field.name_string().to_string();
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        request.headers[name] = field.value().to_string();
    }
    request.body = message.body();
    return request;
}

// False as soon as the other side has closed.
bool wait_for(int fd, int64_t milliseconds) {
    using namespace std::chrono;
    const auto until = steady_clock::now() + std::chrono::milliseconds(milliseconds);
    for (;;) {
        const auto left = duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
        if (left <= 0) return true;
        pollfd watched = {.fd = fd, .events = POLLRDHUP, .revents = 0};
        if (poll(&watched, 1, static_cast<int>(left)) > 0) return false;
    }
}

// Whether the connection goes on.
template <class Stream>
bool send(Stream& stream, int fd, const Request& request, Registry& registry, const Answer& answer,
          bool keep) {
    boost::system::error_code error;
    http::response<http::empty_body> head;
    head.version(11);
    head.result(answer.reply.status);
    for (const auto& [name, value] : answer.reply.headers) head.insert(name, value);
    head.content_length(announced_size(answer.reply, answer.fault));
    head.keep_alive(keep);
    http::response_serializer<http::empty_body> serializer(head);
    http::write_header(stream, serializer, error);
    if (error) return false;
    if (request.method == "HEAD") {
        registry.log(request, answer.reply.status, 0);
        return keep;
    }
    const Wire wire = {
        .write =
            [&](const char* bytes, size_t size) {
                boost::system::error_code failed;
                asio::write(stream, asio::buffer(bytes, size), failed);
                return !failed;
            },
        .wait = [&](int64_t milliseconds) { return wait_for(fd, milliseconds); },
    };
    const Sent sent = send_body(answer.reply, answer.fault, registry.faults(), wire);
    registry.log(request, answer.reply.status, sent.bytes);
    return sent.whole && keep;
}

template <class Stream>
void converse(Stream& stream, int fd, Registry& registry, const std::string& scheme) {
    boost::beast::flat_buffer buffer;
    for (;;) {
        http::request_parser<http::string_body> parser;
        boost::system::error_code error;
        http::read(stream, buffer, parser, error);
        if (error) return;
        const Request request = request_of(parser.get());
        const Answer answer = registry.answer(request, scheme);
        if (answer.fault && answer.fault->action == "reset") {
            registry.log(request, 0, 0);
            return;
        }
        if (!send(stream, fd, request, registry, answer, parser.get().keep_alive())) return;
    }
}

void end(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
}

}  // namespace

void serve_plain(tcp::socket socket, Registry& registry) {
    converse(socket, socket.native_handle(), registry, "http");
    end(socket);
}

void serve_tls(tcp::socket socket, asio::ssl::context& tls, Registry& registry) {
    asio::ssl::stream<tcp::socket> stream(std::move(socket), tls);
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::server, error);
    if (!error) converse(stream, stream.lowest_layer().native_handle(), registry, "https");
    end(stream.next_layer());
}

}  // namespace orlop::test_registry
