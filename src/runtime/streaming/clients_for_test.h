// For tests: blocking clients of the server, one speaking SPDY, one WebSocket.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <map>
#include <string>

#include "runtime/streaming/fakes_for_test.h"
#include "runtime/streaming/spdy/frames.h"

namespace orlop::streaming {

using TestTcp = boost::asio::ip::tcp;

// "http://127.0.0.1:1234/exec/token" -> "/exec/token".
inline std::string path_of(const std::string& url) {
    return url.substr(url.find('/', url.find("//") + 2));
}

class TestSocket {
  public:
    explicit TestSocket(uint16_t port) : socket(io) {
        boost::system::error_code code;
        socket.connect({boost::asio::ip::address_v4::loopback(), port}, code);
        const timeval limit{.tv_sec = kSoonMs / 1000, .tv_usec = 0};
        setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    bool send(std::string_view bytes) {
        boost::system::error_code code;
        boost::asio::write(socket, boost::asio::buffer(bytes), code);
        return !code;
    }
    // Empty at the end of file or when nothing comes.
    std::string receive() {
        std::string part(65536, '\0');
        const ssize_t size = ::recv(socket.native_handle(), part.data(), part.size(), 0);
        part.resize(size > 0 ? static_cast<size_t>(size) : 0);
        return part;
    }
    // The response's head; what followed it is in `rest`.
    std::string head(std::string& rest) {
        std::string all;
        while (all.find("\r\n\r\n") == all.npos) {
            const std::string part = receive();
            if (part.empty()) return all;
            all += part;
        }
        const size_t end = all.find("\r\n\r\n") + 4;
        rest = all.substr(end);
        return all.substr(0, end);
    }

    boost::asio::io_context io;
    TestTcp::socket socket;
};

inline std::string upgrade_request(const std::string& path, const std::string& protocols) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: node\r\nContent-Length: 0\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
           protocols + "\r\n";
}

// Collects what the server says of each stream.
class SpdyClient {
  public:
    struct Stream {
        bool replied = false, fin = false, reset = false;
        std::string data;
    };
    explicit SpdyClient(uint16_t port) : socket(port) {}

    // The head of the response.
    std::string upgrade(const std::string& url, const std::string& protocol) {
        socket.send(upgrade_request(path_of(url), "X-Stream-Protocol-Version: " + protocol + "\r\n"));
        return socket.head(unread);
    }
    uint32_t open(spdy::Headers headers, bool fin = false) {
        const uint32_t id = next;
        next += 2;
        socket.send(encoder.encode(spdy::SynStream{.stream = id, .fin = fin, .headers = std::move(headers)}));
        return id;
    }
    uint32_t open(const std::string& type) { return open(spdy::Headers{{"streamtype", type}}); }
    bool send(uint32_t stream, std::string_view bytes, bool fin = false) {
        return socket.send(encoder.encode(spdy::Data{stream, fin, bytes}));
    }
    bool send(const spdy::Frame& frame) { return socket.send(encoder.encode(frame)); }

    // Reads until that holds; false if the connection ends or is silent before.
    bool until(const std::function<bool()>& holds) {
        while (!holds()) {
            if (unread.empty()) unread = socket.receive();
            if (unread.empty()) {
                ended = true;
                return holds();
            }
            std::string_view rest = unread;
            while (true) {
                auto frame = decoder.next(rest);
                if (!frame || !*frame) break;
                note(**frame);
            }
            unread.clear();
        }
        return true;
    }
    bool until_fin(uint32_t stream) {
        return until([&] { return streams[stream].fin; });
    }
    bool until_end() {
        until([&] { return ended; });
        return ended;
    }
    bool until_data(uint32_t stream, std::string_view data) {
        return until([&] { return streams[stream].data.size() >= data.size(); }) &&
               streams[stream].data == data;
    }

    TestSocket socket;
    spdy::Encoder encoder;
    spdy::Decoder decoder;
    std::string unread;
    std::map<uint32_t, Stream> streams;
    std::vector<spdy::Frame> others;  // frames that concern no stream
    bool ended = false;
    uint32_t next = 1;

  private:
    void note(const spdy::Frame& frame) {
        if (const auto* reply = std::get_if<spdy::SynReply>(&frame)) {
            streams[reply->stream].replied = true;
        } else if (const auto* reset = std::get_if<spdy::RstStream>(&frame)) {
            streams[reset->stream].reset = true;
        } else if (const auto* data = std::get_if<spdy::Data>(&frame)) {
            streams[data->stream].data += data->bytes;
            streams[data->stream].fin |= data->fin;
        } else {
            others.push_back(frame);
        }
    }
};

// Collects what the server says on each channel.
class WebSocketClient {
  public:
    explicit WebSocketClient(uint16_t port) : tcp(port), socket(std::move(tcp.socket)) {}

    // The protocol the server chose, or "refused".
    std::string upgrade(const std::string& url, const std::string& protocol) {
        namespace websocket = boost::beast::websocket;
        socket.set_option(websocket::stream_base::decorator([protocol](websocket::request_type& request) {
            if (!protocol.empty()) request.set(boost::beast::http::field::sec_websocket_protocol, protocol);
        }));
        boost::system::error_code code;
        websocket::response_type response;
        socket.handshake(response, "node", path_of(url), code);
        socket.binary(true);
        if (code) return "refused";
        return std::string(response[boost::beast::http::field::sec_websocket_protocol]);
    }
    bool send(std::string_view message) {
        boost::system::error_code code;
        socket.write(boost::asio::buffer(message), code);
        return !code;
    }
    // One message; false when the server has closed.
    bool receive() {
        boost::beast::flat_buffer buffer;
        socket.read(buffer, closed);
        if (closed) return false;
        last.assign(static_cast<const char*>(buffer.data().data()), buffer.size());
        last_was_text = socket.got_text();
        ++messages;
        if (!last.empty()) channels[static_cast<unsigned char>(last[0])] += last.substr(1);
        return true;
    }
    bool until(int channel, std::string_view data) {
        while (channels[channel].size() < data.size())
            if (!receive()) break;
        return channels[channel] == data;
    }
    bool until_close() {
        while (receive()) continue;
        return closed == boost::beast::websocket::error::closed;
    }

    TestSocket tcp;
    boost::beast::websocket::stream<TestTcp::socket> socket;
    std::map<int, std::string> channels;
    std::string last;
    bool last_was_text = false;
    int messages = 0;
    boost::system::error_code closed;
};

}  // namespace orlop::streaming
