#include "runtime/launch/clone.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/dir.h"
#include "runtime/launch/report.h"

namespace orlop::launch {

namespace {

long raw_clone3(clone_args& args) {
    return syscall(SYS_clone3, &args, sizeof args);
}

void reset_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int signal = 1; signal < _NSIG; ++signal) sigaction(signal, &action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_child(int sync, int report, const std::function<Status(int)>& child) {
    char go = 0;
    // End-of-file instead of the byte: the parent gave up.
    if (read(sync, &go, 1) == 1) {
        reset_signals();
        if (auto r = child(report); !r) report_error(report, r.error());
    }
    _exit(127);
}

// setns(2): the pid namespace counts for children made from now on; entering our own again undoes it.
class ChildrenIn {
  public:
    static Result<ChildrenIn> enter(int pid_namespace) {
        ChildrenIn self;
        if (pid_namespace < 0) return self;
        self.own_ = UniqueFd(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
        if (!self.own_) return Error::sys("open /proc/self/ns/pid");
        TRY(join_namespace(pid_namespace, CLONE_NEWPID, "the pid namespace"));
        return self;
    }
    Status leave() { return own_ ? join_namespace(own_.get(), CLONE_NEWPID, "our own pid namespace") : ok(); }

  private:
    UniqueFd own_;
};

Status join_v1(const CgroupJoin& cgroup, pid_t pid) {
    const std::string text = std::to_string(pid);
    for (const std::string& dir : cgroup.v1_dirs) {
        UniqueFd fd(open((dir + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
        if (!fd) return Error::sys("open " + dir + "/cgroup.procs");
        TRY(write_all(fd.get(), text).under("join cgroup " + dir));
    }
    return ok();
}

}  // namespace

Status join_namespace(int fd, int type, const std::string& what) {
    if (setns(fd, type) != 0) return Error::sys("join " + what);
    return ok();
}

uint64_t flag_if_new(const Namespace& ns, uint64_t flag) {
    return ns.from == NsFrom::New ? flag : 0;
}

Status join_if_asked(const Namespace& ns, int sandbox, int type, const std::string& what) {
    if (ns.from == NsFrom::Sandbox) {
        if (sandbox < 0) return Error::precondition("the pod has no " + what + " of its own");
        return join_namespace(sandbox, type, "the pod's " + what);
    }
    if (ns.from != NsFrom::Path) return ok();
    UniqueFd fd(open(ns.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + what + " " + ns.path);
    return join_namespace(fd.get(), type, what + " " + ns.path);
}

Result<Launching> clone_child(const CloneRequest& request, const std::function<Status(int)>& child) {
    int sync[2];
    int report[2];
    if (pipe2(sync, O_CLOEXEC) != 0) return Error::sys("pipe2");
    UniqueFd sync_read(sync[0]);
    UniqueFd sync_write(sync[1]);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) != 0) return Error::sys("socketpair");
    Launching launching{.report = UniqueFd(report[0])};
    UniqueFd report_write(report[1]);

    clone_args args{};
    args.flags = request.flags;
    args.exit_signal = SIGCHLD;
    UniqueFd v2;
    if (request.cgroup != nullptr && !request.cgroup->v2_dir.empty()) {
        v2 = UniqueFd(open(request.cgroup->v2_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!v2) return Error::sys("open cgroup " + request.cgroup->v2_dir);
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<uint64_t>(v2.get());
    }
    ChildrenIn place = TRY(ChildrenIn::enter(request.pid_namespace));
    const long pid = raw_clone3(args);
    const int clone_errno = errno;
    if (pid == 0) {
        sync_write.reset();
        run_child(sync_read.get(), report_write.get(), child);
    }
    TRY(place.leave());
    if (pid < 0) return Error::sys("clone3", clone_errno);
    launching.pid = static_cast<pid_t>(pid);
    report_write.reset();
    if (request.cgroup != nullptr) TRY(join_v1(*request.cgroup, launching.pid));
    if (write(sync_write.get(), "x", 1) != 1) return Error::sys("release the child");
    return launching;
}

}  // namespace orlop::launch
