#include "runtime/launch/report.h"

#include <sys/socket.h>

#include "runtime/launch/codec.h"

namespace orlop::launch {

namespace {

struct Report {
    char type = 0;
    Identity identity;
    Kind kind = Kind::Failed;
    int32_t errnum = 0;
    std::string what;
};

}  // namespace

template <class A>
void fields(A& a, Identity& i) {
    a(i.uid, i.gid, i.groups);
}

namespace {

template <class A>
void fields(A& a, Report& r) {
    a(r.type, r.identity, r.kind, r.errnum, r.what);
}

constexpr size_t kMaxReport = 32768;

void send_report(int socket, const Report& report, int fd) {
    const std::string bytes = encode(report);
    iovec data{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (fd >= 0) {
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    // A parent that is gone cannot be told; the child's fate is then its own.
    (void)!sendmsg(socket, &header, MSG_NOSIGNAL);
}

}  // namespace

void report_terminal(int socket, int master) {
    send_report(socket, {.type = 'T'}, master);
}

void report_identity(int socket, const Identity& identity) {
    send_report(socket, {.type = 'I', .identity = identity}, -1);
}

void report_error(int socket, const Error& error) {
    send_report(
        socket,
        {.type = 'E', .kind = error.kind(), .errnum = error.errnum(), .what = error.what().substr(0, 4096)},
        -1);
}

Status finish(Launching& launching) {
    std::string buffer(kMaxReport, '\0');
    for (;;) {
        iovec data{buffer.data(), buffer.size()};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        msghdr header{};
        header.msg_iov = &data;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        const ssize_t n = recvmsg(launching.report.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return Error::unavailable("the process has not started yet");
        if (n < 0) return Error::sys("read the child's report");
        if (n == 0) return launching.identified ? ok() : Status(Error::failed("the process was killed before its exec"));
        Report report = TRY(decode<Report>(std::string_view(buffer).substr(0, static_cast<size_t>(n))));
        const cmsghdr* c = CMSG_FIRSTHDR(&header);
        if (c != nullptr && c->cmsg_type == SCM_RIGHTS) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
            launching.terminal.reset(fd);
        }
        if (report.type == 'I') {
            launching.identity = std::move(report.identity);
            launching.identified = true;
        }
        if (report.type == 'E') return Error(report.kind, std::move(report.what), report.errnum);
    }
}

}  // namespace orlop::launch
