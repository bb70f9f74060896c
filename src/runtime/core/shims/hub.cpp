#include "runtime/core/shims/hub.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "base/dir.h"
#include "base/weak.h"

namespace orlop::core {

namespace {

constexpr size_t kMaxOutbox = 1024;

Result<UniqueFd> dial(const std::string& path, Nanos timeout) {
    // By its directory's fd: the real path may be longer than a socket address can hold (unix(7), 108 bytes).
    const size_t slash = path.rfind('/');
    const Dir dir = TRY(Dir::open(path.substr(0, slash)));
    const std::string name = "/proc/self/fd/" + std::to_string(dir.fd()) + path.substr(slash);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() >= sizeof address.sun_path) return Error::invalid("socket name too long: " + path);
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    if (weakened("path-socket")) address = {AF_UNIX, "\0orlop-shim"};
    UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!fd) return Error::sys("socket");
    // unix(7): connect blocks while the backlog is full, bounded by SO_SNDTIMEO.
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
    const timeval wait{.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
    if (setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0)
        return Error::sys("setsockopt");
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        return Error(Kind::Unavailable, "connect " + path + ": " + std::strerror(errno), errno);
    }
    if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("fcntl");
    return fd;
}

Error no_shim(const std::string& sandbox) {
    return Error::unavailable("the shim of sandbox " + sandbox + " is gone");
}

}  // namespace

Result<std::shared_ptr<ExecEnd>> ExecEnd::make() {
    UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) return Error::sys("eventfd");
    return std::shared_ptr<ExecEnd>(new ExecEnd(std::move(fd)));
}

std::optional<Result<int32_t>> ExecEnd::outcome() const {
    std::lock_guard lock(mutex_);
    return outcome_;
}

void ExecEnd::set(Result<int32_t> outcome) {
    std::lock_guard lock(mutex_);
    if (outcome_) return;
    outcome_.emplace(std::move(outcome));
    eventfd_write(ready_.get(), 1);
}

// Where one caller waits.
struct ShimHub::Slot {
    std::mutex mutex;
    std::condition_variable filled;
    std::optional<Result<ShimReply>> reply;

    void fill(Result<ShimReply> with) {
        std::lock_guard lock(mutex);
        if (!reply) reply.emplace(std::move(with));
        filled.notify_all();
    }
};

struct ShimHub::Outgoing {
    shim::Message message;
    std::shared_ptr<std::vector<UniqueFd>> fds;
    std::shared_ptr<Slot> slot;  // null: nobody waits
};

struct ShimHub::Connection {
    UniqueFd socket;
    Watch watch;
    bool wants_write = false;
    std::deque<Outgoing> outbox;
    std::map<uint64_t, std::shared_ptr<Slot>> waiting;
};

ShimHub::ShimHub(std::unique_ptr<EventLoop> loop, Listener listener)
    : loop_(std::move(loop)), listener_(std::move(listener)) {}

Result<std::unique_ptr<ShimHub>> ShimHub::make(Listener listener) {
    auto hub = std::unique_ptr<ShimHub>(new ShimHub(TRY(EventLoop::make()), std::move(listener)));
    hub->thread_ = std::thread([raw = hub.get()] {
        // epoll_wait fails only for reasons that no retry mends; callers then run into their deadlines.
        (void)raw->loop_->run();
    });
    return hub;
}

void ShimHub::stop() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
}

ShimHub::~ShimHub() {
    stop();
    while (!connections_.empty()) drop(std::string(connections_.begin()->first), false);
}

Result<shim::Snapshot> ShimHub::connect(const std::string& sandbox, const std::string& socket,
                                        Nanos timeout) {
    auto fd = std::make_shared<UniqueFd>(TRY(dial(socket, timeout)));
    {
        std::lock_guard lock(mutex_);
        connected_.insert(sandbox);
    }
    loop_->post([this, sandbox, fd] { adopt(sandbox, std::move(*fd)); });
    auto reply = call(sandbox, shim::Hello{}, {}, timeout);
    if (!reply) {
        disconnect(sandbox);
        return std::move(reply).error().under("hello to " + socket);
    }
    auto* snapshot = std::get_if<shim::Snapshot>(&*reply);
    if (snapshot == nullptr) {
        disconnect(sandbox);
        return Error::failed(socket + " answered hello with something else");
    }
    return std::move(*snapshot);
}

bool ShimHub::connected(const std::string& sandbox) const {
    std::lock_guard lock(mutex_);
    return connected_.count(sandbox) != 0;
}

void ShimHub::disconnect(const std::string& sandbox) {
    loop_->post([this, sandbox] { drop(sandbox, false); });
}

Result<shim::Body> ShimHub::call(const std::string& sandbox, shim::Body request, std::vector<UniqueFd> fds,
                                 Nanos timeout) {
    return TRY(exchange(sandbox, std::move(request), std::move(fds), timeout)).body;
}

Result<ShimReply> ShimHub::exchange(const std::string& sandbox, shim::Body request, std::vector<UniqueFd> fds,
                                    Nanos timeout) {
    auto slot = std::make_shared<Slot>();
    Outgoing outgoing{.message = {.request = 0, .body = std::move(request)},
                      .fds = std::make_shared<std::vector<UniqueFd>>(std::move(fds)),
                      .slot = slot};
    loop_->post(
        [this, sandbox, outgoing = std::move(outgoing)]() mutable { submit(sandbox, std::move(outgoing)); });
    std::unique_lock lock(slot->mutex);
    if (!slot->filled.wait_for(lock, timeout, [&] { return slot->reply.has_value(); })) {
        loop_->post([this, sandbox, slot] {
            if (auto at = connections_.find(sandbox); at != connections_.end()) {
                std::erase_if(at->second->waiting, [&](const auto& w) { return w.second == slot; });
            }
        });
        return Error::timed_out("the shim of sandbox " + sandbox + " did not answer in " +
                                std::to_string(std::chrono::duration_cast<Millis>(timeout).count()) + " ms");
    }
    return std::move(*slot->reply);
}

void ShimHub::send(const std::string& sandbox, shim::Body request) {
    Outgoing outgoing{.message = {.request = 0, .body = std::move(request)}};
    loop_->post(
        [this, sandbox, outgoing = std::move(outgoing)]() mutable { submit(sandbox, std::move(outgoing)); });
}

Result<std::shared_ptr<ExecEnd>> ShimHub::expect_exec(const std::string& sandbox,
                                                      const std::string& exec_id) {
    auto end = TRY(ExecEnd::make());
    std::lock_guard lock(mutex_);
    if (connected_.count(sandbox) == 0) return no_shim(sandbox);
    execs_[{sandbox, exec_id}] = end;
    return end;
}

void ShimHub::forget_exec(const std::string& sandbox, const std::string& exec_id) {
    std::lock_guard lock(mutex_);
    execs_.erase({sandbox, exec_id});
}

void ShimHub::adopt(const std::string& sandbox, UniqueFd socket) {
    if (connections_.count(sandbox) != 0) drop(sandbox, false);
    auto connection = std::make_unique<Connection>();
    connection->socket = std::move(socket);
    auto watch = loop_->add_fd(connection->socket.get(), EPOLLIN, [this, sandbox](uint32_t events) {
        if ((events & EPOLLOUT) != 0) flush(sandbox);
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) readable(sandbox);
    });
    if (!watch) return drop(sandbox, false);
    connection->watch = std::move(*watch);
    connections_[sandbox] = std::move(connection);
    std::lock_guard lock(mutex_);
    connected_.insert(sandbox);
}

void ShimHub::submit(const std::string& sandbox, Outgoing outgoing) {
    const auto at = connections_.find(sandbox);
    if (at == connections_.end() || at->second->outbox.size() >= kMaxOutbox) {
        if (!outgoing.slot) return;
        return outgoing.slot->fill(
            at == connections_.end()
                ? no_shim(sandbox)
                : Error(Kind::Exhausted, "the shim of sandbox " + sandbox + " does not read"));
    }
    outgoing.message.request = next_request_++;
    if (outgoing.slot) at->second->waiting[outgoing.message.request] = outgoing.slot;
    at->second->outbox.push_back(std::move(outgoing));
    flush(sandbox);
}

void ShimHub::flush(const std::string& sandbox) {
    const auto at = connections_.find(sandbox);
    if (at == connections_.end()) return;
    Connection& c = *at->second;
    while (!c.outbox.empty()) {
        std::vector<int> raw;
        if (c.outbox.front().fds) {
            for (const UniqueFd& fd : *c.outbox.front().fds) raw.push_back(fd.get());
        }
        Status sent = shim::send_message(c.socket.get(), c.outbox.front().message, raw);
        if (!sent && sent.error().kind() == Kind::Unavailable) break;
        if (!sent && sent.error().kind() == Kind::NotFound) return drop(sandbox, true);
        Outgoing done = std::move(c.outbox.front());
        c.outbox.pop_front();
        if (!sent) {
            c.waiting.erase(done.message.request);
            if (done.slot) done.slot->fill(std::move(sent).error());
        }
    }
    const bool wants = !c.outbox.empty();
    if (wants == c.wants_write) return;
    c.wants_write = wants;
    if (!loop_->modify(c.watch, wants ? uint32_t{EPOLLIN | EPOLLOUT} : uint32_t{EPOLLIN}))
        drop(sandbox, true);
}

void ShimHub::readable(const std::string& sandbox) {
    for (;;) {
        const auto at = connections_.find(sandbox);
        if (at == connections_.end()) return;
        auto received = shim::receive_message(at->second->socket.get());
        if (!received) {
            if (received.error().kind() == Kind::Unavailable) return;
            // Gone, or it speaks nonsense: in both cases nothing it says counts any more.
            return drop(sandbox, true);
        }
        dispatch(sandbox, std::move(*received));
    }
}

void ShimHub::dispatch(const std::string& sandbox, shim::Received received) {
    shim::Message& message = received.message;
    if (message.unknown) return;  // of a newer shim; what matters to us it says in words we know
    if (message.request == 0) {
        if (auto* exited = std::get_if<shim::Exited>(&message.body)) {
            if (listener_.exited) listener_.exited(sandbox, exited->exit);
        } else if (auto* oom = std::get_if<shim::Oom>(&message.body)) {
            if (listener_.oom) listener_.oom(sandbox, oom->container);
        } else if (auto* exec = std::get_if<shim::ExecExited>(&message.body)) {
            std::lock_guard lock(mutex_);
            auto found = execs_.find({sandbox, exec->exec_id});
            if (found != execs_.end()) found->second->set(exec->code);
        }
        return;
    }
    Connection& c = *connections_.at(sandbox);
    const auto slot = c.waiting.find(message.request);
    if (slot == c.waiting.end()) return;  // nobody waited, or no longer
    if (auto* failed = std::get_if<shim::Failed>(&message.body)) {
        slot->second->fill(Error(failed->kind, failed->what, failed->errnum));
    } else {
        slot->second->fill(ShimReply{std::move(message.body), std::move(received.fds)});
    }
    c.waiting.erase(slot);
}

void ShimHub::drop(const std::string& sandbox, bool tell) {
    std::unique_ptr<Connection> connection;
    if (auto at = connections_.find(sandbox); at != connections_.end()) {
        connection = std::move(at->second);
        connections_.erase(at);
    }
    {
        std::lock_guard lock(mutex_);
        connected_.erase(sandbox);
        for (auto& [key, end] : execs_) {
            if (key.first == sandbox) end->set(no_shim(sandbox));
        }
    }
    if (!connection) return;
    for (auto& [request, slot] : connection->waiting) slot->fill(no_shim(sandbox));
    if (tell && listener_.gone) listener_.gone(sandbox);
}

}  // namespace orlop::core
