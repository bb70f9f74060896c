#include "runtime/launch/gate.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "runtime/launch/handshake.h"

namespace orlop::launch {

namespace {

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error::invalid("the path of the gate is too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

Result<UniqueFd> make_socket() {
    UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!fd) return Error::sys("socket");
    return fd;
}

}  // namespace

Result<UniqueFd> make_gate(const std::string& path) {
    const sockaddr_un address = TRY(address_of(path));
    UniqueFd fd = TRY(make_socket());
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Error::sys("bind " + path);
    if (listen(fd.get(), 1) != 0) return Error::sys("listen on " + path);
    return fd;
}

Status open_gate(const std::string& path, Nanos timeout) {
    const sockaddr_un address = TRY(address_of(path));
    UniqueFd fd = TRY(make_socket());
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno == ECONNREFUSED || errno == ENOENT)
            return Error::precondition("no process waits to be started");
        return Error::sys("connect to " + path);
    }
    bool identified = false;
    for (;;) {
        auto received = receive_message(fd.get(), timeout);
        if (!received && received.error().kind() == Kind::NotFound)
            return identified ? ok() : Status(Error::failed("the process was killed before its exec"));
        Message message = TRY(std::move(received));
        if (message.word == Word::Failed) return Error(message.kind, std::move(message.text), message.errnum);
        identified = message.word == Word::Exec;
    }
}

}  // namespace orlop::launch
