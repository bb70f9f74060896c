// A connection from its accept to the upgrade: one request within a deadline, answered by an error or by the
// session its token stands for.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/streaming/client_stream.h"
#include "runtime/streaming/link_base.h"
#include "runtime/streaming/protocols.h"
#include "runtime/streaming/serving.h"
#include "runtime/streaming/websocket_link.h"

namespace orlop::streaming {

namespace http = beast::http;

class Arrival : public std::enable_shared_from_this<Arrival> {
  public:
    // What happened to it, told once: a link, whose session runs, or null.
    using Done = std::function<void(std::shared_ptr<LinkBase>)>;
    // `full`: the server has all the sessions it can have, and says so.
    Arrival(Serving& serving, std::unique_ptr<ClientStream> stream, bool full, Done done);
    void start();
    void abort();

  private:
    using Body = http::string_body;
    void read();
    void answer();
    void route();
    void upgrade_spdy(const Request& request);
    void upgrade_websocket(const Request& request);
    void accept_websocket(std::string protocol, std::function<void()> then);
    void refuse(http::status status, std::string text);
    void drain();
    void write_response(std::function<void()> then);
    void websocket_command(const Request& request, const CommandProtocol& protocol);
    void websocket_forward(const PortForwardRequest& request, const ForwardProtocol& protocol);
    void run_command(std::shared_ptr<LinkBase> link, const Request& request, CommandVersion version,
                     bool spdy);
    void run_forward(std::shared_ptr<LinkBase> link, const PortForwardRequest& request,
                     std::vector<uint16_t> ports);
    void finish(std::shared_ptr<LinkBase> link);
    std::vector<std::string> header_values(std::string_view name) const;
    std::string_view unread() const;

    Serving& serving_;
    std::unique_ptr<ClientStream> stream_;
    std::unique_ptr<WebSocket> websocket_;
    const bool full_;
    Done done_;
    asio::steady_timer deadline_;
    beast::flat_buffer buffer_;
    http::request_parser<http::empty_body> parser_;
    http::response<Body> response_;
};

}  // namespace orlop::streaming
