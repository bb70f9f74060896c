#include "runtime/shim/shim.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace orlop::shim {

Status Shim::start() {
    child_watch_ = TRY(loop_.add_signal(SIGCHLD, [this] { reap(); }));
    accept_watch_ = TRY(loop_.add_fd(listener_.get(), EPOLLIN, [this](uint32_t) { accept_connection(); }));
    return ok();
}

void Shim::accept_connection() {
    auto connection = std::make_shared<Connection>();
    connection->fd = UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection->fd) return;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(connection->fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid())
        return;
    const std::weak_ptr<Connection> weak = connection;
    auto watch = loop_.add_fd(connection->fd.get(), EPOLLIN, [this, weak](uint32_t) {
        if (auto strong = weak.lock()) read_from(strong);
    });
    if (!watch) return note(watch.error().what());
    connection->watch = std::move(watch).value();
    connections_.push_back(std::move(connection));
}

void Shim::read_from(const std::shared_ptr<Connection>& connection) {
    auto received = receive_message(connection->fd.get());
    if (received) {
        handle(connection, std::move(received).value());
        // A pod at rest should cost next to nothing.
        malloc_trim(0);
        return;
    }
    if (received.error().kind() == Kind::Unavailable) return;
    if (received.error().kind() != Kind::NotFound) note("a daemon's message: " + received.error().what());
    drop(connection);
}

void Shim::handle(const std::shared_ptr<Connection>& connection, Received received) {
    const Asker asker{connection, received.message.request};
    if (received.message.unknown)
        return answer_error(asker,
                            Error::unimplemented("this pod's shim (" ORLOP_VERSION
                                                 ") is older than the daemon and has no such request"));
    Answer result =
        std::visit([&](const auto& body) { return on(body, asker, received.fds); }, received.message.body);
    if (!result) return answer_error(asker, result.error());
    if (*result) answer(asker, std::move(**result));
}

void Shim::answer(const Asker& asker, Body body, int fd) {
    auto connection = asker.connection.lock();
    if (!connection) return;
    std::vector<int> fds;
    if (fd >= 0) fds.push_back(fd);
    // A daemon that does not read is dropped; it finds everything again by Hello.
    if (!send_message(connection->fd.get(), {asker.request, std::move(body)}, fds)) drop(connection);
}

void Shim::answer_error(const Asker& asker, const Error& error) {
    answer(asker, Failed{error.kind(), error.errnum(), error.what()});
}

void Shim::broadcast(const Body& body) {
    const auto everybody = connections_;
    for (const auto& connection : everybody) {
        if (!send_message(connection->fd.get(), {0, body})) drop(connection);
    }
}

void Shim::drop(const std::shared_ptr<Connection>& connection) {
    connection->watch.reset();
    connections_.remove(connection);
}

void Shim::note(const std::string& text) {
    auto fd = dir_.open_file("shim.log", O_WRONLY | O_APPEND | O_CREAT, 0600);
    // There is nobody to tell when even this fails.
    if (fd) (void)write_all(fd->get(), rfc3339_nano(SystemClock().wall()) + " " + text + "\n");
}

void Shim::reap() {
    // We are the subreaper of the pod: orphans of its processes are ours to reap as well.
    for (;;) {
        int status = 0;
        const pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0) return;
        reaped(pid, status);
    }
}

void Shim::reaped(pid_t pid, int status) {
    const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (pid == pause_.pid) {
        pause_reported();
        pause_.pid = -1;
        pause_running_ = false;
        if (shutdown_asker_) {
            answer(*shutdown_asker_, Done{});
            loop_.stop();
        } else {
            note("pause ended with code " + std::to_string(code));
        }
        return;
    }
    for (auto& [id, container] : containers_) {
        if (container->launching.pid != pid || container->wait_status || container->exit) continue;
        const std::string key = id;
        // Its report may still be waiting behind this signal; a failed start forgets the container.
        container_reported(key);
        const auto at = containers_.find(key);
        if (at == containers_.end()) return;
        at->second->wait_status = code;
        return container_ended(*at->second);
    }
    for (auto& [id, exec] : execs_) {
        if (exec->launching.pid != pid) continue;
        const std::string key = id;
        exec_reported(key);
        if (execs_.erase(key) > 0) broadcast(ExecExited{key, code});
        return;
    }
}

}  // namespace orlop::shim
