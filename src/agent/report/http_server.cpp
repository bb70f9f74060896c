#include "agent/report/http_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "base/unique_fd.h"

namespace orlop::agent {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Code = boost::system::error_code;

constexpr int kMaxConnections = 64;
constexpr auto kDeadline = std::chrono::seconds(10);
constexpr uint32_t kMaxHeaders = 8192;

// One connection: requests one after another until the client leaves or is too slow.
template <class Protocol>
class Session : public std::enable_shared_from_this<Session<Protocol>> {
  public:
    using Stream = beast::basic_stream<Protocol, typename Protocol::socket::executor_type>;
    Session(typename Protocol::socket socket, const HttpHandler& handler,
            std::shared_ptr<std::atomic<int>> count)
        : stream_(std::move(socket)), handler_(handler), count_(std::move(count)) {
        ++*count_;
    }
    ~Session() { --*count_; }

    void read() {
        parser_.emplace();
        parser_->header_limit(kMaxHeaders);
        parser_->body_limit(0);
        stream_.expires_after(kDeadline);
        http::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](Code error, size_t) {
            if (error == http::error::body_limit)
                return self->write({413, "text/plain", "no bodies\n"}, true);
            if (!error) self->answer();
        });
    }

  private:
    void answer() {
        const auto& request = parser_->get();
        const bool head = request.method() == http::verb::head;
        if (request.method() != http::verb::get && !head)
            return write({405, "text/plain", "only GET\n"}, true);
        const std::string target(request.target());
        const std::string path = target.substr(0, target.find('?'));
        handler_(path, [self = this->shared_from_this()](HttpAnswer answer) {
            asio::post(self->stream_.get_executor(), [self, answer = std::move(answer)]() mutable {
                self->write(std::move(answer), false);
            });
        });
    }

    void write(HttpAnswer answer, bool close) {
        // Not built with the parser's request: after an error it is half read.
        response_ = {};
        response_.result(answer.status);
        response_.set(http::field::content_type, answer.type);
        response_.keep_alive(!close && parser_->get().keep_alive());
        response_.body() = std::move(answer.body);
        response_.prepare_payload();
        if (!close && parser_->get().method() == http::verb::head) response_.body().clear();
        stream_.expires_after(kDeadline);
        http::async_write(stream_, response_, [self = this->shared_from_this()](Code error, size_t) {
            if (!error && self->response_.keep_alive()) self->read();
        });
    }

    Stream stream_;
    const HttpHandler& handler_;
    std::shared_ptr<std::atomic<int>> count_;
    beast::flat_buffer buffer_{2 * kMaxHeaders};
    std::optional<http::request_parser<http::empty_body>> parser_;
    http::response<http::string_body> response_;
};

class Listener {
  public:
    virtual ~Listener() = default;
};

template <class Protocol>
class ListenerOf final : public Listener {
  public:
    ListenerOf(typename Protocol::acceptor acceptor, HttpHandler handler)
        : acceptor_(std::move(acceptor)), handler_(std::move(handler)) {
        accept();
    }

  private:
    void accept() {
        acceptor_.async_accept([this](Code error, typename Protocol::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (!error && *count_ < kMaxConnections)
                std::make_shared<Session<Protocol>>(std::move(socket), handler_, count_)->read();
            accept();
        });
    }

    typename Protocol::acceptor acceptor_;
    HttpHandler handler_;
    std::shared_ptr<std::atomic<int>> count_ = std::make_shared<std::atomic<int>>(0);
};

Status error_of(const std::string& what, const Code& code) {
    const Kind kind = code == asio::error::address_in_use ? Kind::Exists : Kind::Failed;
    return Error(kind, what + ": " + code.message(), code.value());
}

Status bind_and_listen(auto& acceptor, const auto& endpoint, const std::string& what) {
    Code code;
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) return error_of(what, code);
    return ok();
}

// A file left by an agent that was killed refuses connections.
Status clear_old_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return Error::invalid("socket path too long: " + path);
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!probe) return Error::sys("socket");
    if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return Error(Kind::Exists, path + " is in use: another agent runs");
    if (errno == ENOENT) return ok();
    if (errno != ECONNREFUSED) return Error::sys("connect " + path);
    struct stat st {};
    if (lstat(path.c_str(), &st) == 0 && !S_ISSOCK(st.st_mode))
        return Error(Kind::Exists, path + " exists and is no socket");
    if (unlink(path.c_str()) != 0) return Error::sys("remove old socket " + path);
    return ok();
}

}  // namespace

struct HttpServer::Parts {
    asio::io_context io{1};
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::string> sockets;
};

HttpServer::HttpServer() : parts_(std::make_unique<Parts>()) {}

HttpServer::~HttpServer() {
    parts_->io.stop();
    if (thread_.joinable()) thread_.join();
    for (const std::string& path : parts_->sockets) unlink(path.c_str());
}

Status HttpServer::listen_tcp(const std::string& address, uint16_t port, HttpHandler handler) {
    using asio::ip::tcp;
    Code code;
    const auto ip = asio::ip::make_address(address, code);
    if (code) return Error::invalid("not an IP address: " + address);
    const std::string what = "listen on " + address + ":" + std::to_string(port);
    tcp::acceptor acceptor(parts_->io);
    acceptor.open(ip.is_v6() ? tcp::v6() : tcp::v4(), code);
    // SO_REUSEADDR: an agent that restarts must not wait for old connections to time out.
    if (!code) acceptor.set_option(asio::socket_base::reuse_address(true), code);
    if (!code) acceptor.bind({ip, port}, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) return error_of(what, code);
    parts_->listeners.push_back(std::make_unique<ListenerOf<tcp>>(std::move(acceptor), std::move(handler)));
    return ok();
}

Status HttpServer::listen_unix(const std::string& path, HttpHandler handler) {
    using Local = asio::local::stream_protocol;
    TRY(clear_old_socket(path));
    Local::acceptor acceptor(parts_->io);
    const mode_t before = umask(0177);
    Status bound = bind_and_listen(acceptor, Local::endpoint(path), "listen on " + path);
    umask(before);
    TRY(std::move(bound));
    parts_->sockets.push_back(path);
    parts_->listeners.push_back(std::make_unique<ListenerOf<Local>>(std::move(acceptor), std::move(handler)));
    return ok();
}

void HttpServer::start() {
    thread_ = std::thread([this] { parts_->io.run(); });
}

}  // namespace orlop::agent
