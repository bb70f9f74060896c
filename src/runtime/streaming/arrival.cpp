#include "runtime/streaming/arrival.h"

#include <boost/beast/websocket/rfc6455.hpp>

#include "runtime/streaming/port_forward.h"
#include "runtime/streaming/remote_command.h"
#include "runtime/streaming/spdy_link.h"

namespace orlop::streaming {

namespace {

constexpr auto kDeadline = std::chrono::seconds(10);
constexpr uint32_t kMaxHeaderBytes = 16 * 1024;
constexpr size_t kMaxPorts = 32;  // two channels each, numbered by one byte; with base64 by one of ASCII
constexpr std::string_view kVersionHeader = "X-Stream-Protocol-Version";
constexpr std::string_view kAcceptedHeader = "X-Accepted-Stream-Protocol-Versions";
constexpr std::string_view kSpdy = "SPDY/3.1";

std::string_view kind_of(const Request& request) {
    if (std::holds_alternative<ExecRequest>(request)) return "exec";
    return std::holds_alternative<AttachRequest>(request) ? "attach" : "portforward";
}

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

Arrival::Arrival(Serving& serving, std::unique_ptr<ClientStream> stream, bool full, Done done)
    : serving_(serving),
      stream_(std::move(stream)),
      full_(full),
      done_(std::move(done)),
      deadline_(serving.io),
      buffer_(kMaxHeaderBytes * 2) {
    parser_.header_limit(kMaxHeaderBytes);
}

void Arrival::start() {
    deadline_.expires_after(kDeadline);
    deadline_.async_wait([weak = weak_from_this()](Code code) {
        const auto self = weak.lock();
        if (!code && self) self->abort();
    });
    stream_->handshake([self = shared_from_this()](Code code) {
        if (code) return self->finish(nullptr);
        self->read();
    });
}

void Arrival::abort() {
    if (stream_) stream_->close();
}

void Arrival::read() {
    http::async_read_header(*stream_, buffer_, parser_, [self = shared_from_this()](Code code, size_t) {
        if (code == http::error::header_limit)
            return self->refuse(http::status::request_header_fields_too_large, "headers too long");
        if (code == http::error::body_limit)
            return self->refuse(http::status::payload_too_large, "no bodies");
        if (code && code.category() == make_error_code(http::error::bad_method).category() &&
            code != http::error::end_of_stream && code != http::error::partial_message)
            return self->refuse(http::status::bad_request, code.message());
        if (code) return self->finish(nullptr);
        self->route();
    });
}

std::vector<std::string> Arrival::header_values(std::string_view name) const {
    std::vector<std::string> values;
    const auto [begin, end] = parser_.get().equal_range({name.data(), name.size()});
    for (auto at = begin; at != end; ++at) values.emplace_back(view(at->value()));
    return values;
}

std::string_view Arrival::unread() const {
    return {static_cast<const char*>(buffer_.data().data()), buffer_.size()};
}

void Arrival::route() {
    const auto& request = parser_.get();
    if (request.method() != http::verb::get && request.method() != http::verb::post)
        return refuse(http::status::method_not_allowed, "only GET and POST");
    if (parser_.chunked() || parser_.content_length().value_or(0) > 0)
        return refuse(http::status::payload_too_large, "no bodies");
    if (full_) {
        response_.set(http::field::retry_after, "1");
        return refuse(http::status::too_many_requests, "too many sessions");
    }
    const std::string_view target = view(request.target());
    const std::string_view path = target.substr(0, target.find('?'));
    const size_t slash = path.rfind('/');
    if (!path.starts_with('/') || slash == 0 || slash == path.npos)
        return refuse(http::status::not_found, "no such page");
    const auto waiting = serving_.tokens.take(std::string(path.substr(slash + 1)));
    if (!waiting || path.substr(1, slash - 1) != kind_of(*waiting))
        return refuse(http::status::not_found, "unknown, used or expired token");
    if (beast::websocket::is_upgrade(request)) return upgrade_websocket(*waiting);
    const bool upgrade = http::token_list(request[http::field::connection]).exists("upgrade");
    if (!upgrade || !beast::iequals(request[http::field::upgrade], {kSpdy.data(), kSpdy.size()}))
        return refuse(http::status::bad_request, "neither an upgrade to SPDY/3.1 nor to WebSocket");
    upgrade_spdy(*waiting);
}

void Arrival::upgrade_spdy(const Request& request) {
    const auto names = split_names(header_values(kVersionHeader));
    if (names.empty()) return refuse(http::status::bad_request, std::string(kVersionHeader) + " is missing");
    const auto* forward = std::get_if<PortForwardRequest>(&request);
    const CommandProtocol* protocol = choose(forward ? kSpdyForwards : kSpdyCommands, names);
    if (!protocol) {
        std::string ours;
        for (const auto& one : forward ? kSpdyForwards : kSpdyCommands)
            (ours += ours.empty() ? "" : ", ") += one.name;
        response_.insert({kAcceptedHeader.data(), kAcceptedHeader.size()}, ours);
        return refuse(http::status::forbidden, "no common protocol; this server has " + ours);
    }
    response_.result(http::status::switching_protocols);
    response_.set(http::field::connection, "Upgrade");
    response_.set(http::field::upgrade, {kSpdy.data(), kSpdy.size()});
    response_.insert({kVersionHeader.data(), kVersionHeader.size()},
                     {protocol->name.data(), protocol->name.size()});
    write_response([this, request, version = protocol->version] {
        auto link =
            std::make_shared<SpdyLink>(socket_wire(std::move(stream_)), serving_.options.idle_timeout);
        if (const auto* to = std::get_if<PortForwardRequest>(&request))
            run_forward(std::move(link), *to, {});
        else
            run_command(std::move(link), request, version, true);
    });
}

void Arrival::upgrade_websocket(const Request& request) {
    auto names = split_names(header_values("Sec-WebSocket-Protocol"));
    if (names.empty()) names.emplace_back();
    if (!unread().empty()) return refuse(http::status::bad_request, "bytes after the request");
    if (const auto* forward = std::get_if<PortForwardRequest>(&request)) {
        const ForwardProtocol* protocol = choose(kWebSocketForwards, names);
        if (protocol) return websocket_forward(*forward, *protocol);
    } else if (const CommandProtocol* protocol = choose(kWebSocketCommands, names)) {
        return websocket_command(request, *protocol);
    }
    refuse(http::status::forbidden, "no common protocol");
}

void Arrival::websocket_command(const Request& request, const CommandProtocol& protocol) {
    accept_websocket(std::string(protocol.name), [this, request, protocol] {
        const MessageFormat format{protocol.base64, protocol.version == CommandVersion::V5};
        auto link = std::make_shared<WebSocketLink>(std::move(stream_), std::move(websocket_), format, kRoles,
                                                    serving_.options.idle_timeout);
        run_command(std::move(link), request, protocol.version, false);
    });
}

void Arrival::websocket_forward(const PortForwardRequest& request, const ForwardProtocol& protocol) {
    const std::string_view target = view(parser_.get().target());
    const size_t query = target.find('?');
    auto ports = query_ports(query == target.npos ? "" : target.substr(query + 1));
    if (!protocol.tunnel && (ports.empty() || ports.size() > kMaxPorts))
        return refuse(http::status::bad_request, "the query must name ports: port=80");
    accept_websocket(std::string(protocol.name), [this, request, protocol, ports] {
        const Nanos idle = serving_.options.idle_timeout;
        if (protocol.tunnel) {
            auto wire = websocket_wire(std::move(stream_), std::move(websocket_));
            return run_forward(std::make_shared<SpdyLink>(std::move(wire), idle), request, {});
        }
        auto link = std::make_shared<WebSocketLink>(std::move(stream_), std::move(websocket_),
                                                    MessageFormat{protocol.base64, false},
                                                    static_cast<Channel>(2 * ports.size()), idle);
        run_forward(std::move(link), request, ports);
    });
}

void Arrival::accept_websocket(std::string protocol, std::function<void()> then) {
    websocket_ = std::make_unique<WebSocket>(*stream_);
    websocket_->auto_fragment(false);
    websocket_->read_message_max(0);
    websocket_->set_option(
        beast::websocket::stream_base::decorator([protocol](beast::websocket::response_type& response) {
            if (!protocol.empty()) response.set(http::field::sec_websocket_protocol, protocol);
        }));
    websocket_->async_accept(parser_.get(), [self = shared_from_this(), then = std::move(then)](Code code) {
        if (code) return self->finish(nullptr);
        then();
    });
}

void Arrival::run_command(std::shared_ptr<LinkBase> link, const Request& request, CommandVersion version,
                          bool spdy) {
    Command command{.request = {}, .version = version, .spdy = spdy};
    if (const auto* exec = std::get_if<ExecRequest>(&request))
        command.request = *exec;
    else if (const auto* attach = std::get_if<AttachRequest>(&request))
        command.request = *attach;
    auto user = std::make_shared<RemoteCommand>(serving_, std::move(command), link);
    finish(link);
    user->start();
    link->start(std::move(user), unread());
}

void Arrival::run_forward(std::shared_ptr<LinkBase> link, const PortForwardRequest& request,
                          std::vector<uint16_t> ports) {
    auto user = std::make_shared<PortForward>(serving_, request.sandbox, std::move(ports), link);
    finish(link);
    user->start();
    link->start(std::move(user), unread());
}

void Arrival::refuse(http::status status, std::string text) {
    response_.result(status);
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    response_.keep_alive(false);
    response_.body() = text + "\n";
    response_.prepare_payload();
    write_response([this] { stream_->async_finish([self = shared_from_this()](Code) { self->drain(); }); });
}

// Closing with unread bytes would reset the connection, and with it the answer.
void Arrival::drain() {
    buffer_.clear();
    stream_->socket().async_read_some(buffer_.prepare(kMaxHeaderBytes),
                                      [self = shared_from_this()](Code code, size_t) {
                                          if (code) return self->finish(nullptr);
                                          self->drain();
                                      });
}

void Arrival::write_response(std::function<void()> then) {
    response_.version(11);
    response_.set(http::field::server, "orlop");
    http::async_write(*stream_, response_,
                      [self = shared_from_this(), then = std::move(then)](Code code, size_t) {
                          if (code) return self->finish(nullptr);
                          then();
                      });
}

void Arrival::finish(std::shared_ptr<LinkBase> link) {
    deadline_.cancel();
    if (!link) abort();
    if (const auto done = std::exchange(done_, nullptr)) done(std::move(link));
}

}  // namespace orlop::streaming
