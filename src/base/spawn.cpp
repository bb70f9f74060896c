#include "base/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>

extern char** environ;

namespace orlop {

namespace {

constexpr size_t kOutputLimit = 16u << 20;

std::vector<char*> pointers(const std::vector<std::string>& from) {
    std::vector<char*> out;
    for (const std::string& s : from) out.push_back(const_cast<char*>(s.c_str()));
    out.push_back(nullptr);
    return out;
}

struct Actions {
    posix_spawn_file_actions_t raw;
    Actions() { posix_spawn_file_actions_init(&raw); }
    ~Actions() { posix_spawn_file_actions_destroy(&raw); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
};

struct Attributes {
    posix_spawnattr_t raw;
    Attributes() { posix_spawnattr_init(&raw); }
    ~Attributes() { posix_spawnattr_destroy(&raw); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
};

void fill_attributes(Attributes& attributes, bool new_session) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes.raw, &none);
    posix_spawnattr_setsigdefault(&attributes.raw, &all);
    const int session = new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(&attributes.raw,
                             static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session));
}

int left_ms(Nanos end) {
    if (end < Nanos(0)) return -1;
    const auto ms = std::chrono::ceil<Millis>(end - SystemClock().monotonic()).count();
    return static_cast<int>(std::clamp<int64_t>(ms, 0, 1 << 30));
}

Nanos end_of(Nanos timeout) {
    return timeout < Nanos(0) ? timeout : SystemClock().monotonic() + timeout;
}

struct Pipe {
    UniqueFd read, write;
    static Result<Pipe> make() {
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) != 0) return Error::sys("pipe2");
        return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
    }
};

// Moves what is ready; closes `fd` at its end. Output beyond the limit is read and dropped.
void pump_out(UniqueFd& fd, std::string& into) {
    char buffer[16384];
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n > 0) {
        into.append(buffer,
                    std::min(static_cast<size_t>(n), kOutputLimit - std::min(kOutputLimit, into.size())));
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        fd.reset();
    }
}

void pump_in(UniqueFd& fd, std::string_view& input) {
    const ssize_t n = input.empty() ? 0 : ::write(fd.get(), input.data(), input.size());
    if (n > 0) input.remove_prefix(static_cast<size_t>(n));
    // EPIPE: the child does not want the rest; that is its business.
    if (input.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) fd.reset();
}

// False at the deadline.
bool pump(UniqueFd& in, UniqueFd& out, UniqueFd& err, std::string_view input, CommandResult& result,
          Nanos end) {
    while (in || out || err) {
        pollfd fds[3] = {{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}};
        const int n = poll(fds, 3, left_ms(end));
        if (n == 0) return false;
        if (n < 0) continue;
        if (fds[0].revents != 0) pump_in(in, input);
        if (fds[1].revents != 0) pump_out(out, result.out);
        if (fds[2].revents != 0) pump_out(err, result.err);
    }
    return true;
}

}  // namespace

Result<Child> spawn(const SpawnSpec& spec) {
    if (spec.argv.empty()) return Error::invalid("spawn: no program");
    Actions actions;
    for (int fd = 0; fd < 3; ++fd) {
        const bool given =
            std::any_of(spec.fds.begin(), spec.fds.end(), [fd](auto& p) { return p.second == fd; });
        if (!given) posix_spawn_file_actions_addopen(&actions.raw, fd, "/dev/null", O_RDWR, 0);
    }
    for (const auto& [ours, theirs] : spec.fds) posix_spawn_file_actions_adddup2(&actions.raw, ours, theirs);
    Attributes attributes;
    fill_attributes(attributes, spec.new_session);

    std::vector<char*> argv = pointers(spec.argv);
    std::vector<char*> env = pointers(spec.env);
    Child child;
    const std::string& program = spec.program.empty() ? spec.argv[0] : spec.program;
    const int e =
        posix_spawn(&child.pid, program.c_str(), &actions.raw, &attributes.raw, argv.data(), env.data());
    if (e != 0) return Error::sys("start " + program, e);
    child.pidfd = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0)));
    // ENOSYS: wait_child has another way.
    if (!child.pidfd && errno != ENOSYS) return Error::sys("pidfd_open");
    return child;
}

namespace {

// A kernel without pidfds (before 5.3). Our own child keeps its number until it is waited for.
Result<int> wait_unheld(pid_t pid, Nanos timeout) {
    const Nanos end = end_of(timeout);
    for (;;) {
        int status = 0;
        const pid_t r = waitpid(pid, &status, end < Nanos(0) ? 0 : WNOHANG);
        if (r == pid) return status;
        if (r < 0 && errno != EINTR) return Error::sys("waitpid");
        if (left_ms(end) == 0)
            return Error::timed_out("process " + std::to_string(pid) + " is still running");
        const timespec pause{0, 2'000'000};
        nanosleep(&pause, nullptr);
    }
}

}  // namespace

Result<int> wait_child(const Child& child, Nanos timeout) {
    if (!child.pidfd) return wait_unheld(child.pid, timeout);
    const Nanos end = end_of(timeout);
    for (;;) {
        pollfd fd{child.pidfd.get(), POLLIN, 0};
        const int n = poll(&fd, 1, left_ms(end));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("poll");
        if (n == 0) return Error::timed_out("process " + std::to_string(child.pid) + " is still running");
        int status = 0;
        if (waitpid(child.pid, &status, 0) != child.pid) return Error::sys("waitpid");
        return status;
    }
}

int CommandResult::exit_code() const {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<CommandResult> run_command(SpawnSpec spec, std::string_view input, Nanos timeout) {
    const Nanos end = end_of(timeout);
    Pipe in = TRY(Pipe::make());
    Pipe out = TRY(Pipe::make());
    Pipe err = TRY(Pipe::make());
    spec.fds.insert(spec.fds.end(), {{in.read.get(), 0}, {out.write.get(), 1}, {err.write.get(), 2}});
    const std::string name = spec.argv.empty() ? "" : spec.argv[0];
    Child child = TRY(spawn(spec));
    in.read.reset();
    out.write.reset();
    err.write.reset();
    fcntl(in.write.get(), F_SETFL, O_NONBLOCK);

    CommandResult result;
    if (pump(in.write, out.read, err.read, input, result, end)) {
        auto status =
            wait_child(child, end < Nanos(0) ? end : std::max(Nanos(0), end - SystemClock().monotonic()));
        if (status) {
            result.status = *status;
            return result;
        }
    }
    kill(-child.pid, SIGKILL);
    kill(child.pid, SIGKILL);
    TRY(wait_child(child, std::chrono::seconds(10)));
    return Error::timed_out(name + " did not end in time and was killed");
}

std::vector<std::string> current_env() {
    std::vector<std::string> out;
    for (char** at = environ; *at != nullptr; ++at) out.emplace_back(*at);
    return out;
}

}  // namespace orlop
