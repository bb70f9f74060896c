#include "runtime/streaming/server.h"

#include <sys/socket.h>

#include <csignal>
#include <future>
#include <list>
#include <thread>

#include "runtime/streaming/arrival.h"

namespace orlop::streaming {

namespace {

constexpr size_t kMaxSessions = 1000;
constexpr size_t kMaxArrivals = 256;
constexpr int kAcceptsAtOnce = 64;

Error error_of(const std::string& what, const Code& code) {
    return Error(Kind::Failed, what + ": " + code.message(), code.value());
}

// Threads started while it lives block all signals: those are the daemon's main thread's, and SIGPIPE is
// nobody's.
class AllSignalsBlocked {
  public:
    AllSignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_;
};

Status check(bool tty, bool in, bool out, bool err) {
    if (!in && !out && !err) return Error::invalid("one of stdin, stdout and stderr must be asked for");
    if (tty && err) return Error::invalid("tty and stderr cannot both be asked for");
    return ok();
}

class HttpServer final : public Server {
  public:
    HttpServer(ServerOptions options, Backend& backend, const Clock& clock)
        : serving_(std::move(options), backend, clock), acceptor_(serving_.io), pause_(serving_.io) {}

    ~HttpServer() override {
        if (thread_.joinable()) {
            std::promise<void> all_closed;
            asio::post(serving_.io, [&] {
                close_all();
                all_closed.set_value();
            });
            all_closed.get_future().wait();
            serving_.backend_threads.join();
            serving_.io.stop();
            thread_.join();
            serving_.session_threads.join();
        }
    }

    Status listen();
    void run() {
        accept();
        thread_ = std::thread([this] { serving_.io.run(); });
    }

    Result<std::string> url(ExecRequest request) override {
        TRY(check(request.tty, request.in, request.out, request.err));
        if (request.command.empty()) return Error::invalid("a command must be given");
        return url("exec", std::move(request));
    }
    Result<std::string> url(AttachRequest request) override {
        TRY(check(request.tty, request.in, request.out, request.err));
        return url("attach", std::move(request));
    }
    Result<std::string> url(PortForwardRequest request) override {
        return url("portforward", std::move(request));
    }
    uint16_t port() const override { return port_; }

  private:
    Result<std::string> url(const char* kind, Request request) {
        const std::string token = TRY(serving_.tokens.add(std::move(request)));
        return base_ + kind + "/" + token;
    }
    Status load_tls();
    void accept();
    void accept_later();
    void arrived(UniqueFd fd);
    void close_all();

    Serving serving_;
    std::optional<asio::ssl::context> tls_;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    std::string base_;
    uint16_t port_ = 0;
    std::list<std::weak_ptr<Arrival>> arrivals_;   // oldest first
    std::list<std::weak_ptr<LinkBase>> sessions_;  // those that are over are swept when others come
    std::thread thread_;
};

Status HttpServer::load_tls() {
    const auto& options = serving_.options;
    if (options.tls_certificate.empty() != options.tls_key.empty())
        return Error::invalid("TLS needs both a certificate and a key");
    if (options.tls_certificate.empty()) return ok();
    Code code;
    tls_.emplace(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
    tls_->use_certificate_chain_file(options.tls_certificate, code);
    if (code) return error_of("TLS certificate " + options.tls_certificate, code);
    tls_->use_private_key_file(options.tls_key, asio::ssl::context::pem, code);
    if (code) return error_of("TLS key " + options.tls_key, code);
    return ok();
}

// Sockets are opened here and not by Asio, which opens them without SOCK_CLOEXEC.
Result<UniqueFd> listening_socket(const tcp::endpoint& endpoint) {
    UniqueFd fd(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return Error::sys("socket");
    // A daemon that restarts must not wait for old connections to time out.
    const int on = 1;
    if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return Error::sys("SO_REUSEADDR");
    if (bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
        if (errno == EADDRINUSE) return Error(Kind::Exists, "bind: address in use", EADDRINUSE);
        return Error::sys("bind");
    }
    if (::listen(fd.get(), SOMAXCONN) != 0) return Error::sys("listen");
    return fd;
}

Status HttpServer::listen() {
    TRY(load_tls());
    const auto& options = serving_.options;
    Code code;
    const auto ip = asio::ip::make_address(options.address, code);
    if (code) return Error::invalid("not an IP address: " + options.address);
    const tcp::endpoint endpoint(ip, options.port);
    UniqueFd fd = TRY(listening_socket(endpoint).under("listen on " + options.address + ":" +
                                                       std::to_string(options.port)));
    acceptor_.assign(endpoint.protocol(), fd.get(), code);
    if (code) return error_of("streaming socket", code);
    fd.release();
    port_ = acceptor_.local_endpoint(code).port();
    if (code) return error_of("address of the streaming socket", code);
    const std::string host = ip.is_v6() ? "[" + options.address + "]" : options.address;
    base_ = (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + "/";
    return ok();
}

void HttpServer::accept() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](Code code) {
        if (code) return;
        for (int i = 0; i < kAcceptsAtOnce; ++i) {
            UniqueFd fd(accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (fd)
                arrived(std::move(fd));
            else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                return accept_later();
            else if (errno == EAGAIN)
                break;
        }
        accept();
    });
}

// Descriptors and memory come back when others leave.
void HttpServer::accept_later() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](Code code) {
        if (!code) accept();
    });
}

void HttpServer::arrived(UniqueFd fd) {
    Code ignored;
    tcp::socket socket(serving_.io);
    socket.assign(acceptor_.local_endpoint(ignored).protocol(), fd.get(), ignored);
    if (!socket.is_open()) return;
    fd.release();
    socket.set_option(tcp::no_delay(true), ignored);
    // A client whose host is gone must not keep its command running for ever.
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    socket.set_option(asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>(30), ignored);
    socket.set_option(asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>(10), ignored);
    std::erase_if(arrivals_, [](const auto& arrival) { return arrival.expired(); });
    std::erase_if(sessions_, [](const auto& session) { return session.expired(); });
    // Those that take their time to ask must not keep others out.
    if (arrivals_.size() >= kMaxArrivals) {
        if (const auto oldest = arrivals_.front().lock()) oldest->abort();
        arrivals_.pop_front();
    }
    auto stream = std::make_unique<ClientStream>(std::move(socket), tls_ ? &*tls_ : nullptr);
    const auto arrival =
        std::make_shared<Arrival>(serving_, std::move(stream), sessions_.size() >= kMaxSessions,
                                  [this](std::shared_ptr<LinkBase> link) {
                                      if (link) sessions_.push_back(link);
                                  });
    arrivals_.push_back(arrival);
    arrival->start();
}

void HttpServer::close_all() {
    Code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& weak : arrivals_)
        if (const auto arrival = weak.lock()) arrival->abort();
    for (const auto& weak : sessions_)
        if (const auto link = weak.lock()) link->abort();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Backend& backend, const Clock& clock) {
    const AllSignalsBlocked blocked;
    auto server = std::make_unique<HttpServer>(std::move(options), backend, clock);
    TRY(server->listen());
    server->run();
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace orlop::streaming
