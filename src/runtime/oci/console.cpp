#include "runtime/oci/console.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "base/unique_fd.h"

namespace orlop::oci {

namespace {

Result<UniqueFd> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error::invalid("console socket: path is too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return Error::sys("socket");
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return Error::sys("connect to console socket " + path);
    }
    return fd;
}

}  // namespace

Status send_terminal(const std::string& socket_path, int terminal) {
    UniqueFd fd = TRY(connect_to(socket_path));
    char name[] = "/dev/ptmx";
    iovec data{name, sizeof name - 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof terminal)] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof terminal);
    std::memcpy(CMSG_DATA(header), &terminal, sizeof terminal);
    if (sendmsg(fd.get(), &message, MSG_NOSIGNAL) < 0) return Error::sys("send terminal to " + socket_path);
    return ok();
}

Status check_console(bool terminal, bool detached, const std::string& console_socket) {
    if (terminal && detached && console_socket.empty()) {
        return Error::invalid("cannot allocate tty if orlop-oci will detach without setting console socket");
    }
    if (!console_socket.empty() && !(terminal && detached)) {
        return Error::invalid("cannot use console socket if orlop-oci will not detach or allocate tty");
    }
    return ok();
}

}  // namespace orlop::oci
