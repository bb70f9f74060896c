// orlop-scope: asks systemd for orlop-oci (cgroups/scope_protocol.h has the conversation). One request on
// stdin, one answer on stdout. As `create` it is the first process of the new scope, because systemd ends a
// scope without any.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "base/clock.h"
#include "base/dir.h"
#include "cgroups/scope_protocol.h"
#include "cgroups/systemd/bus.h"

namespace orlop::cgroups {

namespace {

constexpr Nanos kRequest = std::chrono::seconds(5);
constexpr size_t kLongestRequest = 1 << 20;

Result<std::string> read_request() {
    const Nanos end = SystemClock().monotonic() + kRequest;
    std::string out;
    while (!is_whole_request(out)) {
        const auto left = std::chrono::ceil<Millis>(end - SystemClock().monotonic()).count();
        pollfd fd{STDIN_FILENO, POLLIN, 0};
        if (left <= 0 || poll(&fd, 1, static_cast<int>(left)) == 0) return Error::timed_out("no request");
        char buffer[16384];
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("read the request");
        if (n == 0 || out.size() > kLongestRequest) return Error::invalid("half a request");
        out.append(buffer, static_cast<size_t>(n));
    }
    return out;
}

Status create(ScopeRequest request) {
    request.properties.push_back({"PIDs", std::vector<uint32_t>{static_cast<uint32_t>(getpid())}});
    return TRY(Manager::connect()).start_transient(request.unit, request.properties);
}

Status handle(ScopeRequest request) {
    switch (request.action) {
        case ScopeAction::Create:
            return create(std::move(request));
        case ScopeAction::Slice: {
            Manager manager = TRY(Manager::connect());
            auto started = manager.start_transient(request.unit, request.properties);
            if (started || started.error().kind() != Kind::Exists) return started;
            // systemd takes this one only at the start.
            std::erase_if(request.properties, [](const auto& p) { return p.name == "DefaultDependencies"; });
            return manager.set_properties(request.unit, request.properties);
        }
        case ScopeAction::Set:
            return TRY(Manager::connect()).set_properties(request.unit, request.properties);
        case ScopeAction::Stop:
            return TRY(Manager::connect()).stop(request.unit);
    }
    return Error::invalid("no such action");
}

// Until the caller closes its descriptor or is gone: the lock ends with either.
void hold() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    while (fcntl(kScopeHoldFd, F_SETLKW, &lock) != 0 && errno == EINTR) {
    }
}

int run() {
    auto text = read_request();
    auto request = text ? decode_request(*text) : Result<ScopeRequest>(std::move(text).error());
    const bool stays = request && request->action == ScopeAction::Create;
    // The caller waits for this process; the one that stays is not its child.
    if (stays) {
        const pid_t child = fork();
        if (child > 0) return 0;
        if (child < 0) request = Error::sys("fork");
    }
    const Status done = request ? handle(*std::move(request)) : Status(std::move(request).error());
    if (!write_all(STDOUT_FILENO, encode_reply(done))) return 1;
    if (done && stays) hold();
    return done ? 0 : 1;
}

}  // namespace

}  // namespace orlop::cgroups

int main() {
    if (isatty(STDIN_FILENO) == 1) {
        std::fputs("orlop-scope is started by orlop-oci: it has no use by itself\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    return orlop::cgroups::run();
}
