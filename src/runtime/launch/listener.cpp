#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "runtime/launch/process.h"

namespace orlop::launch {

namespace {

void append_quoted(std::string& out, const std::string& text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') out += '\\';
        if (byte >= 0x20) {
            out += c;
        } else {
            out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
        }
    }
    out += '"';
}

// runtime-spec config-linux.md, "The Container Process State". `state` is JSON already.
std::string process_state(const Seccomp& seccomp, const std::string& state) {
    std::string out = "{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],\"pid\":" + std::to_string(getpid());
    if (!seccomp.listener_metadata.empty()) {
        out += ",\"metadata\":";
        append_quoted(out, seccomp.listener_metadata);
    }
    return out + ",\"state\":" + (state.empty() ? "{}" : state) + "}";
}

}  // namespace

Result<UniqueFd> connect_listener(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error::invalid("seccomp listener path is too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return Error::sys("socket");
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Error::sys("connect to the seccomp listener " + path);
    return fd;
}

Status send_listener(int socket, int listener, const Seccomp& seccomp, const std::string& state) {
    std::string text = process_state(seccomp, state);
    iovec data{text.data(), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof listener)] = {};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof listener);
    std::memcpy(CMSG_DATA(c), &listener, sizeof listener);
    if (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) return Error::sys("hand over the seccomp listener");
    return ok();
}

}  // namespace orlop::launch
