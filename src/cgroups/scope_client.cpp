#include "cgroups/scope_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/spawn.h"

namespace orlop::cgroups {

namespace {

// Longer than the helper waits for systemd.
constexpr Nanos kAnswer = std::chrono::seconds(40);
constexpr Nanos kEnd = std::chrono::seconds(5);
constexpr size_t kLongestReply = 65536;

Status send_all(int socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("send the request to orlop-scope");
        text.remove_prefix(static_cast<size_t>(n));
    }
    return ok();
}

Result<std::string> receive_line(int socket) {
    const Nanos end = SystemClock().monotonic() + kAnswer;
    std::string out;
    while (!out.ends_with('\n') && out.size() < kLongestReply) {
        const auto left = std::chrono::ceil<Millis>(end - SystemClock().monotonic()).count();
        pollfd fd{socket, POLLIN, 0};
        if (left <= 0 || poll(&fd, 1, static_cast<int>(left)) == 0)
            return Error::timed_out("orlop-scope does not answer");
        char buffer[4096];
        const ssize_t n = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return Error::sys("receive the answer of orlop-scope");
        if (n == 0) return Error::failed("orlop-scope ended without an answer");
        out.append(buffer, static_cast<size_t>(n));
    }
    return out;
}

// fcntl(2), record locks: only this process has it, whoever got a copy of the descriptor by fork, and it ends
// with the descriptor or the process. A pipe's end would stay open in a container's init until its exec.
Result<UniqueFd> make_hold() {
    UniqueFd fd(memfd_create("orlop-scope", MFD_CLOEXEC));
    if (!fd) return Error::sys("memfd_create");
    struct flock lock {};
    lock.l_type = F_WRLCK;
    if (fcntl(fd.get(), F_SETLK, &lock) != 0) return Error::sys("lock what holds the scope");
    return fd;
}

}  // namespace

Result<UniqueFd> ask_scope_helper(const std::string& helper, const ScopeRequest& request) {
    const std::string text = TRY(encode_request(request));
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Error::sys("socketpair");
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    UniqueFd hold = TRY(make_hold());
    const Child child = TRY(spawn({.argv = {helper},
                                   .env = {},
                                   .fds = {{theirs.get(), 0}, {theirs.get(), 1}, {hold.get(), kScopeHoldFd}},
                                   .new_session = true})
                                .under("start " + helper));
    theirs.reset();
    auto reply = send_all(ours.get(), text);
    if (reply) {
        auto line = receive_line(ours.get());
        reply = line ? decode_reply(*line) : Status(std::move(line).error());
    }
    ours.reset();
    if (!reply) hold.reset();
    // What stays in a scope is a child of the helper's, not of ours.
    if (auto ended = wait_child(child, kEnd); !ended && reply) return std::move(ended).error();
    if (!reply) return std::move(reply).error();
    return hold;
}

}  // namespace orlop::cgroups
