#include "oci/harness/unix_listener.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "harness/place.h"

namespace orlop::it {
namespace {

bool readable(int fd) {
    struct pollfd waits = {.fd = fd, .events = POLLIN, .revents = 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(scaled(10));
    return poll(&waits, 1, static_cast<int>(limit.count())) == 1;
}

}  // namespace

UnixListener::UnixListener(const std::string& path)
    : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        ADD_FAILURE() << "too long for a socket: " << path;
        return;
    }
    memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)), 0) << path;
    EXPECT_EQ(listen(socket_.get(), 4), 0);
}

Result<UnixListener::Message> UnixListener::receive() {
    if (!readable(socket_.get())) return Error::failed("nobody connected");
    const UniqueFd peer(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return Error::sys("accept");
    if (!readable(peer.get())) return Error::failed("nothing was sent");
    std::string text(65536, '\0');
    alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
    struct iovec part = {.iov_base = text.data(), .iov_len = text.size()};
    struct msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    const ssize_t got = recvmsg(peer.get(), &header, MSG_CMSG_CLOEXEC);
    if (got < 0) return Error::sys("recvmsg");
    Message message;
    message.text = text.substr(0, static_cast<size_t>(got));
    for (struct cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            message.fds.emplace_back(fd);
        }
    }
    return message;
}

std::string read_until(int fd, const std::string& text) {
    std::string all;
    char block[4096];
    while (all.find(text) == std::string::npos && readable(fd)) {
        const ssize_t got = read(fd, block, sizeof(block));
        if (got <= 0) break;
        all.append(block, static_cast<size_t>(got));
    }
    return all;
}

}  // namespace orlop::it
