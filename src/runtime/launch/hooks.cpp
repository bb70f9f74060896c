#include "runtime/launch/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "base/dir.h"

namespace orlop::launch {

namespace {

constexpr size_t kOutputKept = 4096;

struct Running {
    pid_t pid = -1;
    UniqueFd pidfd;
    UniqueFd output;  // what it writes to stdout and stderr
};

std::vector<char*> pointers(const std::vector<std::string>& from) {
    std::vector<char*> out;
    for (const std::string& s : from) out.push_back(const_cast<char*>(s.c_str()));
    out.push_back(nullptr);
    return out;
}

// A file has no capacity to fill and no reader to lose, unlike a pipe.
Result<UniqueFd> state_file(const std::string& state) {
    UniqueFd file(memfd_create("state", MFD_CLOEXEC));
    if (!file) return Error::sys("memfd_create");
    TRY(write_all(file.get(), state));
    if (lseek(file.get(), 0, SEEK_SET) != 0) return Error::sys("lseek");
    return file;
}

struct Setup {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    Setup() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(
            &attributes,
            static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
    }
    ~Setup() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;
};

Result<Running> start(const Hook& hook, const std::string& state, const std::string& directory) {
    UniqueFd input = TRY(state_file(state));
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Error::sys("pipe2");
    UniqueFd write(ends[1]);
    Running running{.output = UniqueFd(ends[0])};
    fcntl(write.get(), F_SETFL, 0);
    Setup setup;
    posix_spawn_file_actions_adddup2(&setup.actions, input.get(), 0);
    posix_spawn_file_actions_adddup2(&setup.actions, write.get(), 1);
    posix_spawn_file_actions_adddup2(&setup.actions, write.get(), 2);
    posix_spawn_file_actions_addchdir_np(&setup.actions, directory.c_str());
    const std::vector<std::string> arguments = hook.args.empty() ? std::vector{hook.path} : hook.args;
    const std::vector<char*> argv = pointers(arguments);
    const std::vector<char*> env = pointers(hook.env);
    const int failed = posix_spawn(&running.pid, hook.path.c_str(), &setup.actions, &setup.attributes,
                                   argv.data(), hook.env.empty() ? environ : env.data());
    if (failed != 0) return Error::sys("start", failed);
    running.pidfd = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, running.pid, 0)));
    if (!running.pidfd && errno != ENOSYS) return Error::sys("pidfd_open");
    return running;
}

// Keeps the beginning, drops the rest. False at the end of the stream.
bool drain(int fd, std::string& kept) {
    char buffer[4096];
    for (;;) {
        const ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        if (n == 0) return false;
        kept.append(buffer, std::min(static_cast<size_t>(n), kOutputKept - kept.size()));
    }
}

// A kernel without pidfds (before 5.3) has to be asked.
constexpr int kAskEvery = 2;  // ms
bool has_exited(pid_t pid) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
}

// Until it has exited; true at the deadline. A grandchild that keeps the output open does not count.
bool wait_until(Running& hook, std::string& output, Nanos end) {
    for (;;) {
        pollfd fds[2] = {{hook.pidfd.get(), POLLIN, 0}, {hook.output.get(), POLLIN, 0}};
        int left = -1;
        if (end >= Nanos(0)) {
            const auto ms = std::chrono::ceil<Millis>(end - SystemClock().monotonic()).count();
            left = static_cast<int>(std::clamp<int64_t>(ms, 0, 1 << 30));
        }
        const bool unheld = !hook.pidfd;
        const int n = poll(fds, 2, unheld ? std::min<int>(left < 0 ? kAskEvery : left, kAskEvery) : left);
        if (unheld && has_exited(hook.pid)) return false;
        if (n == 0 && unheld && left != 0) continue;
        if (n == 0) return true;
        if (n < 0) continue;
        if (fds[1].revents != 0 && !drain(hook.output.get(), output)) hook.output.reset();
        if (fds[0].revents != 0) return false;
    }
}

int reap(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

Status run_hook(const Hook& hook, const std::string& state, const std::string& directory) {
    auto running = start(hook, state, directory);
    if (!running) return std::move(running).error();
    const Nanos end = hook.timeout_seconds
                          ? SystemClock().monotonic() + std::chrono::seconds(*hook.timeout_seconds)
                          : Nanos(-1);
    std::string output;
    const bool late = wait_until(*running, output, end);
    if (late) kill(-running->pid, SIGKILL);
    const int status = reap(running->pid);
    if (late) {
        return Error::timed_out("not done after " + std::to_string(*hook.timeout_seconds) + " s, killed");
    }
    if (status == 0) return ok();
    if (running->output) drain(running->output.get(), output);
    std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                          : "exit status " + std::to_string(WEXITSTATUS(status));
    output = trimmed(std::move(output));
    if (!output.empty()) how += ", output: " + output;
    return Error::failed(std::move(how));
}

}  // namespace

Status run_hooks(std::string_view kind, const std::vector<Hook>& hooks, const std::string& state,
                 const std::string& directory) {
    for (size_t i = 0; i < hooks.size(); ++i) {
        TRY(run_hook(hooks[i], state, directory)
                .under(std::string(kind) + " hook #" + std::to_string(i) + " (" + hooks[i].path + ")"));
    }
    return ok();
}

}  // namespace orlop::launch
