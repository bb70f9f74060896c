#include <poll.h>

#include <algorithm>

#include "base/weak.h"
#include "runtime/core/cri/exec_process.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/error_map.h"
#include "runtime/core/streaming/pipes.h"

namespace orlop::core {

namespace {

constexpr size_t kOutputLimit = 16u << 20;         // of each stream; CRI ExecSyncResponse
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
    Pipe pipe = TRY(open_pipe(Direction::FromProcess));
    output.read = std::move(pipe.ours);
    return std::move(pipe.theirs);
}

int poll_ms(Nanos end, Nanos now) {
    if (end == kForever) return -1;
    const auto ms = std::chrono::ceil<Millis>(std::max(end - now, Nanos(0))).count();
    return static_cast<int>(std::min<int64_t>(ms, 1 << 30));
}

enum class Ending { Exited, TimedOut };

// Reads both outputs until the command has ended and they are at their end (or drained long enough), or
// `end`.
Ending collect(Output& out, Output& err, const ExecProcess& exec, const Clock& clock, Nanos end) {
    bool exited = false;
    for (;;) {
        if (exited && !out.read && !err.read) return Ending::Exited;
        // poll(2) ignores negative descriptors.
        pollfd fds[3] = {{out.read.get(), POLLIN, 0},
                         {err.read.get(), POLLIN, 0},
                         {exited ? -1 : exec.ended(), POLLIN, 0}};
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

// Everything the command started; a TimedOut error with the words that clients look for.
Error kill_exec(const ExecProcess& exec, const std::string& container, const cri::ExecSyncRequest& request) {
    Error error = Error::timed_out("exec \"" + request.cmd(0) + "\" in container " + container +
                                   ": timeout " + std::to_string(request.timeout()) + "s exceeded");
    if (auto killed = exec.kill(kKill); !killed) return std::move(error).also(killed.error());
    return error;
}

}  // namespace

Result<cri::ExecSyncResponse> exec_sync(Parts& parts, const cri::ExecSyncRequest& request) {
    if (request.cmd_size() == 0) return Error::invalid("cmd is empty");
    if (request.timeout() < 0) return Error::invalid("timeout is negative");
    const auto container = TRY(parts.state.containers->resolve(request.container_id()));
    Output out;
    Output err;
    ExecStreams streams;
    streams.out = TRY(open_output(out));
    streams.err = TRY(open_output(err));
    const auto exec = TRY(ExecProcess::start(
        parts, *container, {.argv = {request.cmd().begin(), request.cmd().end()}}, std::move(streams)));
    const bool limited = request.timeout() > 0 && request.timeout() < int64_t{1} << 32;
    const Nanos end = limited ? parts.clock.monotonic() + std::chrono::seconds(request.timeout()) : kForever;
    if (collect(out, err, *exec, parts.clock, end) == Ending::TimedOut)
        return kill_exec(*exec, container->id, request);
    cri::ExecSyncResponse response;
    const Result<int32_t> code = *exec->outcome();
    if (!code) return code.error();
    response.set_exit_code(*code);
    fit(out.bytes, err.bytes);
    *response.mutable_stdout() = std::move(out.bytes);
    *response.mutable_stderr() = std::move(err.bytes);
    return response;
}

}  // namespace orlop::core
