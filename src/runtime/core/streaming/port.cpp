#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <thread>

#include "runtime/core/streaming/backend.h"

namespace orlop::core {

namespace {

Result<UniqueFd> make_socket(int family) {
    UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return Error::sys("socket");
    return fd;
}

Status finish_connect(int fd, Nanos timeout) {
    pollfd done{.fd = fd, .events = POLLOUT, .revents = 0};
    const auto ms = std::chrono::ceil<Millis>(timeout).count();
    int n = 0;
    do {
        n = poll(&done, 1, static_cast<int>(ms));
    } while (n < 0 && errno == EINTR);
    if (n == 0) return Error::timed_out("no answer in " + std::to_string(ms) + " ms");
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return Error::sys("getsockopt");
    return error == 0 ? ok() : Status(Error::sys("connect", error));
}

Result<UniqueFd> dial_address(const sockaddr* address, socklen_t size, Nanos timeout) {
    UniqueFd fd = TRY(make_socket(address->sa_family));
    if (connect(fd.get(), address, size) == 0) return fd;
    if (errno != EINPROGRESS) return Error::sys("connect");
    TRY(finish_connect(fd.get(), timeout));
    return fd;
}

Result<UniqueFd> dial_localhost(uint16_t port, Nanos timeout) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto fd = dial_address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4, timeout);
    if (fd) return fd;
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    auto second = dial_address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6, timeout);
    // Nobody there by either: the first says it as clients know it.
    return second ? std::move(second) : std::move(fd);
}

}  // namespace

// setns(2) moves one thread: it is made for this and ends with it.
Result<UniqueFd> dial_in(const std::string& netns, uint16_t port, Nanos timeout) {
    Result<UniqueFd> out = Error::failed("not tried");
    const auto work = [&]() -> Result<UniqueFd> {
        if (netns.empty()) return dial_localhost(port, timeout);
        UniqueFd ns(open(netns.c_str(), O_RDONLY | O_CLOEXEC));
        if (!ns) return Error::sys("open " + netns);
        if (setns(ns.get(), CLONE_NEWNET) != 0) return Error::sys("join " + netns);
        return dial_localhost(port, timeout);
    };
    std::thread([&] { out = work(); }).join();
    if (!out) return std::move(out).error().under("port " + std::to_string(port) + " of the pod");
    return out;
}

}  // namespace orlop::core
