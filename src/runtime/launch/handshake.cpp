#include "runtime/launch/handshake.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "runtime/launch/codec.h"

namespace orlop::launch {

template <class A>
void fields(A& a, Identity& i) {
    a(i.uid, i.gid, i.groups);
}
template <class A>
void fields(A& a, Message& m) {
    a(m.word, m.text, m.identity, m.pid, m.kind, m.errnum);
}

namespace {

constexpr size_t kMaxText = 4096;

Status out_of_order(Word word) {
    return Error::failed("the child said message " + std::to_string(static_cast<int>(word)) +
                         " out of order");
}

Status wait_readable(int socket, Nanos timeout) {
    pollfd p{.fd = socket, .events = POLLIN, .revents = 0};
    const int64_t ms =
        timeout < Nanos(0) ? -1 : std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    for (;;) {
        const int n = poll(&p, 1, static_cast<int>(ms));
        if (n > 0) return ok();
        if (n == 0) return Error::timed_out("the other side says nothing");
        if (errno != EINTR) return Error::sys("poll");
    }
}

}  // namespace

Status Order::next(Word word) {
    const bool forward = word > last_ && word != Word::Go;
    if (!forward || last_ == Word::Failed) return out_of_order(word);
    last_ = word;
    return ok();
}

Status send_message(int socket, const Message& message) {
    Message plain{.word = message.word,
                  .text = message.text,
                  .identity = message.identity,
                  .pid = message.pid,
                  .kind = message.kind,
                  .errnum = message.errnum,
                  .fd = {}};
    Encoder encoder;
    encoder(plain);
    std::string bytes = encoder.take();
    iovec data{bytes.data(), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (message.fd) {
        const int fd = message.fd.get();
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) return Error::sys("tell the other side");
    return ok();
}

Result<Message> receive_message(int socket, Nanos timeout) {
    if (timeout != Nanos(0)) TRY(wait_readable(socket, timeout));
    // A packet's size is known before it is taken: most have some fifty bytes, the state of a container some
    // thousand.
    ssize_t size = -1;
    do {
        size = recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) return Error::unavailable("the process has not started yet");
    if (size < 0) return Error::sys("read from the other side");
    std::string buffer(static_cast<size_t>(size), '\0');
    iovec data{buffer.data(), buffer.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t n = -1;
    do {
        n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return Error::sys("read from the other side");
    if (n == 0) return Error::not_found("the conversation is over");
    Message message;
    if (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr && c->cmsg_type == SCM_RIGHTS) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
        message.fd.reset(fd);
    }
    Decoder decoder(std::string_view(buffer).substr(0, static_cast<size_t>(n)));
    decoder(message);
    TRY(decoder.finish());
    return message;
}

Status Channel::wait_go() const {
    const Message message = TRY(receive_message(socket_, Nanos(-1)));
    return message.word == Word::Go ? ok() : out_of_order(message.word);
}

Status Channel::born(pid_t pid, UniqueFd pidfd) const {
    return send_message(socket_, {.word = Word::Born, .pid = pid, .fd = std::move(pidfd)});
}

Result<std::string> Channel::hooks() const {
    TRY(send_message(socket_, {.word = Word::Hooks}));
    Message message = TRY(receive_message(socket_, Nanos(-1)));
    if (message.word != Word::State) return Status(out_of_order(message.word)).error();
    return std::move(message.text);
}

Status Channel::terminal(UniqueFd master) const {
    return send_message(socket_, {.word = Word::Terminal, .fd = std::move(master)});
}

Status Channel::created(const Identity& identity, int gate) {
    TRY(send_message(socket_, {.word = Word::Created, .identity = identity}));
    int opened = -1;
    do {
        opened = accept4(gate, nullptr, nullptr, SOCK_CLOEXEC);
    } while (opened < 0 && errno == EINTR);
    if (opened < 0) return Error::sys("wait to be started");
    close(gate);
    close(socket_);
    socket_ = opened;
    return ok();
}

void Channel::exec(const Identity& identity) const {
    (void)send_message(socket_, {.word = Word::Exec, .identity = identity}).ok();
}

void Channel::failed(const Error& error) const {
    (void)send_message(socket_, {.word = Word::Failed,
                                 .text = error.what().substr(0, kMaxText),
                                 .kind = error.kind(),
                                 .errnum = error.errnum()})
        .ok();
}

Result<Stage> advance(Launching& launching) {
    Stage came_to = Stage::Working;
    for (;;) {
        auto received = receive_message(launching.report.get(), Nanos(0));
        if (!received && received.error().kind() == Kind::Unavailable) return came_to;
        if (!received && received.error().kind() == Kind::NotFound) {
            if (!launching.identified) return Error::failed("the process was killed before its exec");
            return launching.stage = Stage::Running;
        }
        Message message = TRY(std::move(received));
        TRY(launching.order.next(message.word));
        switch (message.word) {
            case Word::Hooks:
                came_to = launching.stage = Stage::Hooks;
                break;
            case Word::Terminal:
                launching.terminal = std::move(message.fd);
                break;
            case Word::Created:
                launching.identity = std::move(message.identity);
                return launching.stage = Stage::Created;
            case Word::Exec:
                launching.identity = std::move(message.identity);
                launching.identified = true;
                break;
            case Word::Failed:
                return Error(message.kind, std::move(message.text), message.errnum);
            default:
                return Status(out_of_order(message.word)).error();
        }
    }
}

Status proceed(Launching& launching, const std::string& state) {
    if (launching.stage != Stage::Hooks)
        return Error::precondition("the process does not wait for its hooks");
    launching.stage = Stage::Working;
    return send_message(launching.report.get(), {.word = Word::State, .text = state});
}

Status finish(Launching& launching) {
    if (TRY(advance(launching)) == Stage::Running) return ok();
    return Error::unavailable("the process has not started yet");
}

}  // namespace orlop::launch
