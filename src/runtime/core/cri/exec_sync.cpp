#include <poll.h>

#include <algorithm>

#include "base/weak.h"
#include "runtime/core/cri/exec_cgroup.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

constexpr size_t kOutputLimit = 16u << 20;  // of each stream; CRI ExecSyncResponse
constexpr Nanos kStart = std::chrono::seconds(60);
constexpr Nanos kDrain = std::chrono::seconds(1);  // for grandchildren that hold the pipes after the exit
constexpr Nanos kKill = std::chrono::seconds(5);
constexpr Nanos kForever = Nanos::max();

// One of the command's outputs. Beyond the limit it is read and dropped, so that the command never blocks.
struct Output {
    UniqueFd read;
    std::string bytes;

    void pump() {
        char buffer[65536];
        const ssize_t n = ::read(read.get(), buffer, sizeof buffer);
        if (n > 0) {
            const size_t room = weakened("exec-output-limit") ? sizeof buffer : kOutputLimit - bytes.size();
            bytes.append(buffer, std::min(static_cast<size_t>(n), room));
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            read.reset();
        }
    }
};

Result<UniqueFd> open_output(Output& output) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return Error::sys("pipe2");
    output.read = UniqueFd(fds[0]);
    UniqueFd write(fds[1]);
    // pipe(7): only our end; the command gets an ordinary blocking pipe.
    if (fcntl(output.read.get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("fcntl");
    return write;
}

int poll_ms(Nanos end, Nanos now) {
    if (end == kForever) return -1;
    const auto ms = std::chrono::ceil<Millis>(std::max(end - now, Nanos(0))).count();
    return static_cast<int>(std::min<int64_t>(ms, 1 << 30));
}

enum class Ending { Exited, TimedOut };

// Reads both outputs until the command has ended and they are at their end (or drained long enough), or
// `end`.
Ending collect(Output& out, Output& err, const ExecEnd& exec, const Clock& clock, Nanos end) {
    bool exited = false;
    for (;;) {
        if (exited && !out.read && !err.read) return Ending::Exited;
        // poll(2) ignores negative descriptors.
        pollfd fds[3] = {{out.read.get(), POLLIN, 0},
                         {err.read.get(), POLLIN, 0},
                         {exited ? -1 : exec.ready(), POLLIN, 0}};
        const int n = poll(fds, 3, poll_ms(end, clock.monotonic()));
        if (n == 0) return exited ? Ending::Exited : Ending::TimedOut;
        if (n < 0) continue;
        if (fds[0].revents != 0) out.pump();
        if (fds[1].revents != 0) err.pump();
        if (fds[2].revents != 0) {
            exited = true;
            end = std::min(end, clock.monotonic() + kDrain);
        }
        if (clock.monotonic() >= end) return exited ? Ending::Exited : Ending::TimedOut;
    }
}

// Clients take messages of 16 MiB (kubelet and crictl alike): two full streams, or one and the rest of the
// message, would turn a success into an error. The longer stream gives way, the shorter keeps up to half.
void fit(std::string& out, std::string& err) {
    constexpr size_t kBudget = kOutputLimit - 1024;
    constexpr size_t kHalf = kBudget / 2;
    if (out.size() + err.size() <= kBudget) return;
    const size_t kept = std::min({out.size(), err.size(), kHalf});
    std::string& longer = out.size() >= err.size() ? out : err;
    std::string& shorter = out.size() >= err.size() ? err : out;
    shorter.resize(kept);
    longer.resize(kBudget - kept);
}

struct Target {
    Parts& parts;
    const ContainerRecord& container;
    std::string exec_id;
};

Status send_exec(const Target& t, const launch::ExecPlan& plan, Output& out, Output& err) {
    std::vector<UniqueFd> fds;
    fds.push_back(TRY(shim::bytes_to_memfd("exec-plan", launch::encode(plan))));
    UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) return Error::sys("open /dev/null");
    fds.push_back(std::move(null));
    fds.push_back(TRY(open_output(out)));
    fds.push_back(TRY(open_output(err)));
    auto reply =
        t.parts.hub.call(t.container.sandbox, shim::Exec{.container = t.container.id, .exec_id = t.exec_id},
                         std::move(fds), kStart);
    return reply ? ok() : Status(std::move(reply).error());
}

// Everything the command started; a TimedOut error with the words that clients look for.
Error kill_exec(const Target& t, const ExecCgroup& cgroup, const cri::ExecSyncRequest& request) {
    const std::string command = request.cmd(0);
    Error error = Error::timed_out("exec \"" + command + "\" in container " + t.container.id + ": timeout " +
                                   std::to_string(request.timeout()) + "s exceeded");
    auto asked = t.parts.hub.call(t.container.sandbox,
                                  shim::Signal{.exec_id = t.exec_id, .signal = SIGKILL, .everything = true},
                                  {}, kKill);
    const Status killed = cgroup.kill(kKill);
    // NotFound: it ended just now.
    if (!asked && asked.error().kind() != Kind::NotFound) error = std::move(error).also(asked.error());
    if (!killed) error = std::move(error).also(killed.error());
    return error;
}

Result<cri::ExecSyncResponse> run(const Target& t, const ExecEnd& exec, const cri::ExecSyncRequest& request) {
    launch::LaunchPlan container = TRY(load_plan(*t.parts.state.containers, t.container.id));
    const auto sandbox = TRY(t.parts.state.sandboxes->resolve(t.container.sandbox));
    container.cgroup = join_of(t.parts.cgroup_of(*sandbox, t.container.id));
    launch::ExecPlan plan = plan::plan_exec(container, {request.cmd().begin(), request.cmd().end()}, false);
    plan.cgroup = container.cgroup;
    const ExecCgroup cgroup = TRY(ExecCgroup::make(plan.cgroup, t.exec_id));
    const Clock& clock = t.parts.clock;
    const bool limited = request.timeout() > 0 && request.timeout() < int64_t{1} << 32;
    const Nanos end = limited ? clock.monotonic() + std::chrono::seconds(request.timeout()) : kForever;

    Output out;
    Output err;
    TRY(send_exec(t, plan, out, err));
    if (collect(out, err, exec, clock, end) == Ending::TimedOut) return kill_exec(t, cgroup, request);
    cri::ExecSyncResponse response;
    const Result<int32_t> code = *exec.outcome();
    if (!code) return code.error();
    response.set_exit_code(*code);
    fit(out.bytes, err.bytes);
    *response.mutable_stdout() = std::move(out.bytes);
    *response.mutable_stderr() = std::move(err.bytes);
    return response;
}

}  // namespace

Result<cri::ExecSyncResponse> exec_sync(Parts& parts, const cri::ExecSyncRequest& request) {
    if (request.cmd_size() == 0) return Error::invalid("cmd is empty");
    if (request.timeout() < 0) return Error::invalid("timeout is negative");
    const auto container = TRY(parts.state.containers->resolve(request.container_id()));
    if (container->phase != ContainerPhase::Running) {
        return Error::precondition("container " + container->id + " does not run");
    }
    const Target target{.parts = parts, .container = *container, .exec_id = random_uuid()};
    const auto exec = TRY(inner(parts.hub.expect_exec(container->sandbox, target.exec_id)));
    auto result = inner(run(target, *exec, request));
    parts.hub.forget_exec(container->sandbox, target.exec_id);
    return result;
}

}  // namespace orlop::core
