#include "runtime/shim/protocol/protocol.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/dir.h"

namespace orlop::shim {

namespace {

struct Header {
    uint32_t version = kProtocolVersion;
    uint64_t request = 0;
    uint32_t type = 0;
};

template <class A>
void fields(A& a, Header& h) {
    a(h.version, h.request, h.type);
}

template <size_t N = 0>
Status decode_body(launch::Decoder& decoder, uint32_t type, Message& message) {
    if constexpr (N == std::variant_size_v<Body>) {
        message.unknown = true;
        return ok();
    } else {
        if (type != N) return decode_body<N + 1>(decoder, type, message);
        decoder(message.body.emplace<N>());
        return decoder.finish();
    }
}

}  // namespace

std::string encode_message(const Message& message) {
    launch::Encoder encoder;
    Header header{.request = message.request, .type = static_cast<uint32_t>(message.body.index())};
    encoder(header);
    std::visit([&encoder](auto body) { encoder(body); }, message.body);
    return encoder.take();
}

Result<Message> decode_message(std::string_view packet) {
    launch::Decoder decoder(packet);
    Header header;
    decoder(header);
    if (header.version < kOldestProtocol) {
        return Error::invalid("protocol version " + std::to_string(header.version) + ", " +
                              std::to_string(kOldestProtocol) + " is the oldest that is spoken");
    }
    Message message{.request = header.request, .body = Hello{}};
    TRY(decode_body(decoder, header.type, message));
    return message;
}

Status send_message(int socket, const Message& message, const std::vector<int>& fds) {
    const std::string packet = encode_message(message);
    if (packet.size() > kMaxPacket)
        return Error(Kind::Exhausted, "message of " + std::to_string(packet.size()) + " bytes");
    if (fds.size() > kMaxFds) return Error(Kind::Exhausted, "too many descriptors in a message");
    iovec data{const_cast<char*>(packet.data()), packet.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFds)] = {};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
        cmsghdr* c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
        std::memcpy(CMSG_DATA(c), fds.data(), sizeof(int) * fds.size());
    }
    for (;;) {
        if (sendmsg(socket, &header, MSG_NOSIGNAL) >= 0) return ok();
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return Error(Kind::Unavailable, "the peer does not read", EAGAIN);
        if (errno == EPIPE || errno == ECONNRESET) return Error(Kind::NotFound, "the peer is gone", errno);
        return Error::sys("sendmsg");
    }
}

Result<Received> receive_message(int socket) {
    std::string packet(kMaxPacket, '\0');
    iovec data{packet.data(), packet.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFds)];
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t n = 0;
    do {
        n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) return Error(Kind::Unavailable, "nothing to read", EAGAIN);
    if (n == 0 || (n < 0 && errno == ECONNRESET)) return Error(Kind::NotFound, "the peer is gone");
    if (n < 0) return Error::sys("recvmsg");
    Received received;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            received.fds.emplace_back(fd);
        }
    }
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return Error::invalid("packet is larger than allowed");
    received.message = TRY(decode_message(std::string_view(packet).substr(0, static_cast<size_t>(n))));
    return received;
}

std::string exit_record(const Exit& exit) {
    return launch::encode(exit);
}

Result<Exit> parse_exit_record(std::string_view bytes) {
    return launch::decode<Exit>(bytes);
}

Result<UniqueFd> bytes_to_memfd(const char* name, std::string_view bytes) {
    UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) return Error::sys("memfd_create");
    TRY(write_all(fd.get(), bytes));
    if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        return Error::sys("seal memfd");
    }
    if (lseek(fd.get(), 0, SEEK_SET) != 0) return Error::sys("lseek");
    return fd;
}

}  // namespace orlop::shim
