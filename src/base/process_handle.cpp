#include "base/process_handle.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>

#include "base/dir.h"

namespace orlop {

namespace {

constexpr long kAskEvery = 2'000'000;  // ns, where nothing tells of the end

int left_ms(Nanos end) {
    const auto ms = std::chrono::ceil<Millis>(end - SystemClock().monotonic()).count();
    return static_cast<int>(std::clamp<int64_t>(ms, 0, 1 << 30));
}

}  // namespace

Result<ProcessHandle> ProcessHandle::open(pid_t pid) {
    ProcessHandle out;
    out.pid_ = pid;
    out.fd_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    out.has_pidfd_ = static_cast<bool>(out.fd_);
    if (out.has_pidfd_) return out;
    const std::string what = "process " + std::to_string(pid);
    if (errno == ESRCH) return Error::not_found(what + " does not exist");
    if (errno != ENOSYS) return Error::sys("pidfd_open of " + what);
    out.fd_.reset(::open(("/proc/" + std::to_string(pid)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!out.fd_) return Error::not_found(what + " does not exist");
    return out;
}

// proc_pid_stat(5): the state stands behind the last ')', as names may have some.
bool ProcessHandle::ended() const {
    if (has_pidfd_) {
        pollfd p{fd_.get(), POLLIN, 0};
        return poll(&p, 1, 0) != 0;
    }
    UniqueFd stat(openat(fd_.get(), "stat", O_RDONLY | O_CLOEXEC));
    if (!stat) return true;
    const auto text = read_all(stat.get());
    if (!text) return true;
    const size_t name_end = text->rfind(") ");
    return name_end == std::string::npos || (*text)[name_end + 2] == 'Z' || (*text)[name_end + 2] == 'X';
}

Status ProcessHandle::signal(int number) const {
    int failed = 0;
    if (has_pidfd_) {
        failed = syscall(SYS_pidfd_send_signal, fd_.get(), number, nullptr, 0) == 0 ? 0 : errno;
    }
    if (!has_pidfd_ || failed == ENOSYS) failed = ended() ? ESRCH : kill(pid_, number) == 0 ? 0 : errno;
    if (failed == 0) return ok();
    const std::string what = "signal process " + std::to_string(pid_);
    return failed == ESRCH ? Error::not_found(what + ": it has ended") : Error::sys(what, failed);
}

Status ProcessHandle::wait_end(Nanos timeout) const {
    const Nanos end = SystemClock().monotonic() + timeout;
    for (;;) {
        const int ms = left_ms(end);
        if (has_pidfd_) {
            pollfd p{fd_.get(), POLLIN, 0};
            const int n = poll(&p, 1, ms);
            if (n > 0) return ok();
            if (n < 0 && errno != EINTR) return Error::sys("poll");
        } else {
            if (ended()) return ok();
            const timespec pause{0, kAskEvery};
            nanosleep(&pause, nullptr);
        }
        if (ms == 0) return Error::timed_out("process " + std::to_string(pid_) + " has not ended");
    }
}

}  // namespace orlop
