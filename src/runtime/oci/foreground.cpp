#include "runtime/oci/foreground.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <optional>

#include "runtime/oci/terminal.h"

namespace orlop::oci {

namespace {

// Our own faults, and the stops that belong to the shell's job control, stay ours.
constexpr int kOurs[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGSYS,
                         SIGABRT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGURG};

// Collects what has ended; the exit code once that was `pid`.
Result<std::optional<int>> reap(pid_t pid, bool orphans) {
    for (;;) {
        int status = 0;
        const pid_t ended = waitpid(orphans ? -1 : pid, &status, WNOHANG);
        if (ended < 0 && errno == EINTR) continue;
        if (ended < 0) return Error::sys("waitpid");
        if (ended == 0) return std::nullopt;
        if (ended == pid) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

// All signals that wait. True when a child has ended.
bool take_signals(int signals, pid_t pid, int terminal) {
    bool child = false;
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        const int signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGCHLD) {
            child = true;
        } else if (signal == SIGWINCH) {
            if (terminal >= 0) copy_size(STDIN_FILENO, terminal);
        } else {
            kill(pid, signal);
        }
    }
    return child;
}

}  // namespace

Result<UniqueFd> block_signals() {
    sigset_t set;
    sigfillset(&set);
    for (const int signal : kOurs) sigdelset(&set, signal);
    if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return Error::sys("sigprocmask");
    signal(SIGPIPE, SIG_IGN);
    UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return Error::sys("signalfd");
    return fd;
}

Status become_subreaper() {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return Error::sys("become a subreaper");
    return ok();
}

Result<int> wait_in_foreground(pid_t pid, int signals, int terminal, bool reap_orphans) {
    TerminalProxy proxy(terminal);
    TRY(proxy.start());
    // It may have ended before its SIGCHLD was looked for.
    std::optional<int> code = TRY(reap(pid, reap_orphans));
    while (!code) {
        pollfd fds[4] = {{signals, POLLIN, 0}};
        proxy.prepare(fds + 1);
        if (poll(fds, 4, -1) < 0 && errno != EINTR) return Error::sys("poll");
        proxy.move(fds + 1);
        if (fds[0].revents != 0 && take_signals(signals, pid, terminal)) code = TRY(reap(pid, reap_orphans));
    }
    proxy.finish();
    return *code;
}

}  // namespace orlop::oci
