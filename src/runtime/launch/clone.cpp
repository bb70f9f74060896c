#include "runtime/launch/clone.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/dir.h"
#include "base/weak.h"

namespace orlop::launch {

namespace {

constexpr Nanos kBirth = std::chrono::seconds(10);

void reset_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int signal = 1; signal < _NSIG; ++signal) sigaction(signal, &action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The `tasks` files of the v1 hierarchies to be in, opened by the parent: its rights count, whatever user
// namespace the child is born in.
Result<std::vector<UniqueFd>> open_tasks(const CgroupJoin* cgroup) {
    std::vector<UniqueFd> out;
    if (cgroup == nullptr) return out;
    for (const std::string& dir : cgroup->v1_dirs) {
        UniqueFd& fd = out.emplace_back(open((dir + "/tasks").c_str(), O_WRONLY | O_CLOEXEC));
        if (!fd) return Error::sys("open " + dir + "/tasks");
    }
    return out;
}

// A single thread that moves itself needs no lock over all threads of the machine (cgroup_threadgroup_rwsem,
// whose writer waits for an RCU grace period): 0.2 ms for all hierarchies, where the parent would take 10.
Status join_v1(const std::vector<UniqueFd>& tasks, const CgroupJoin* cgroup) {
    for (size_t i = 0; i < tasks.size(); ++i)
        TRY(write_all(tasks[i].get(), "0").under("join cgroup " + cgroup->v1_dirs[i]));
    return ok();
}

Status begin_child(Channel& channel, const std::vector<UniqueFd>& tasks, const CgroupJoin* cgroup,
                   const ChildMain& child) {
    // Who is not root has still to write to files of his own /proc/self, which this gives to root.
    if (geteuid() == 0) TRY(become_untraceable());
    TRY(join_v1(tasks, cgroup));
    TRY(channel.wait_go());
    reset_signals();
    return child(channel);
}

[[noreturn]] void run_child(int socket, const std::vector<UniqueFd>& tasks, const CgroupJoin* cgroup,
                            const ChildMain& child) {
    Channel channel(socket);
    // An end of the conversation instead of "go", and nobody there to be told: the parent gave up.
    if (auto r = begin_child(channel, tasks, cgroup, child); !r) channel.failed(r.error());
    _exit(127);
}

const char* ns_file(int type) {
    switch (type) {
        case CLONE_NEWPID:
            return "/proc/self/ns/pid";
        case CLONE_NEWNET:
            return "/proc/self/ns/net";
        case CLONE_NEWIPC:
            return "/proc/self/ns/ipc";
        case CLONE_NEWUTS:
            return "/proc/self/ns/uts";
        case CLONE_NEWCGROUP:
            return "/proc/self/ns/cgroup";
        default:
            return "/proc/self/ns/time";
    }
}

// The caller's own namespaces, left for a moment. setns(2): pid and time count for children made from now on.
class Elsewhere {
  public:
    Status enter(const Joined& ns) {
        TRY(remember(ns.type));
        return join_namespace(ns);
    }
    Status enter_new_time(const std::vector<TimeOffset>& offsets) {
        TRY(remember(CLONE_NEWTIME));
        if (unshare(CLONE_NEWTIME) != 0) return Error::sys("new time namespace");
        std::string text;
        for (const TimeOffset& o : offsets) {
            text += o.clock + " " + std::to_string(o.seconds) + " " + std::to_string(o.nanoseconds) + "\n";
        }
        if (text.empty()) return ok();
        UniqueFd fd(open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
        if (!fd) return Error::sys("open /proc/self/timens_offsets");
        return write_all(fd.get(), text).under("write /proc/self/timens_offsets");
    }
    Status leave() {
        Status worst = ok();
        while (!own_.empty()) {
            if (auto r = join_namespace({own_.back().first.get(), own_.back().second, "our own namespace"});
                !r)
                worst = r;
            own_.pop_back();
        }
        return worst;
    }

  private:
    Status remember(int type) {
        UniqueFd own(open(ns_file(type), O_RDONLY | O_CLOEXEC));
        if (!own) return Error::sys(std::string("open ") + ns_file(type));
        own_.emplace_back(std::move(own), type);
        return ok();
    }
    std::vector<std::pair<UniqueFd, int>> own_;
};

Status join_cgroup(const std::string& dir, pid_t pid) {
    UniqueFd fd(open((dir + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + dir + "/cgroup.procs");
    return write_all(fd.get(), std::to_string(pid)).under("join cgroup " + dir);
}

// A child by clone3(2) or, without it, clone(2); `cgroup` says whether it was born in that one.
long make_child(uint64_t flags, int cgroup_fd, bool& in_cgroup) {
    clone_args args{};
    args.flags = flags;
    args.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<uint64_t>(cgroup_fd);
    }
    in_cgroup = cgroup_fd >= 0;
    const long pid = syscall(SYS_clone3, &args, sizeof args);
    // E2BIG: a kernel before CLONE_INTO_CGROUP (5.7).
    if (pid >= 0 || (errno != ENOSYS && errno != E2BIG)) return pid;
    in_cgroup = false;
    return syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, 0ul);
}

Status settle(const CloneRequest& request, pid_t pid, bool in_v2) {
    if (request.cgroup != nullptr && !in_v2 && !request.cgroup->v2_dir.empty())
        TRY(join_cgroup(request.cgroup->v2_dir, pid));
    return request.prepare ? request.prepare(pid) : ok();
}

// A child that cannot be used ends, and is reaped here: nobody else knows of it.
void discard(pid_t pid) {
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
}

// proc(5), /proc/PID/fdinfo: the number in our own pid namespace.
Result<pid_t> pid_of(int pidfd) {
    const std::string info = TRY(read_file("/proc/self/fdinfo/" + std::to_string(pidfd)));
    const size_t at = info.find("Pid:\t");
    const int pid = at == std::string::npos ? -1 : std::atoi(info.c_str() + at + 5);
    if (pid <= 0) return Error::failed("the process that goes on is not in our pid namespace");
    return pid;
}

}  // namespace

Status become_untraceable() {
    if (!weakened("dumpable") && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return Error::sys("prctl PR_SET_DUMPABLE");
    return ok();
}

Status join_namespace(const Joined& ns) {
    if (setns(ns.fd, ns.type) != 0) return Error::sys("join " + ns.what);
    return ok();
}

uint64_t flag_if_new(const Namespace& ns, uint64_t flag) {
    return ns.from == NsFrom::New ? flag : 0;
}

Result<Launching> clone_child(const CloneRequest& request, const ChildMain& child) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return Error::sys("socketpair");
    Launching launching{.report = UniqueFd(ends[0])};
    UniqueFd child_end(ends[1]);
    UniqueFd v2;
    if (request.cgroup != nullptr && !request.cgroup->v2_dir.empty()) {
        v2.reset(open(request.cgroup->v2_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!v2) return Error::sys("open cgroup " + request.cgroup->v2_dir);
    }
    const std::vector<UniqueFd> tasks = TRY(open_tasks(request.cgroup));
    Elsewhere place;
    Status entered = request.new_time ? place.enter_new_time(request.offsets) : ok();
    for (const Joined& ns : request.born_in) {
        if (entered) entered = place.enter(ns);
    }
    long pid = -1;
    bool in_cgroup = false;
    int clone_errno = 0;
    if (entered) {
        pid = make_child(request.flags, v2.get(), in_cgroup);
        clone_errno = errno;
        if (pid == 0) {
            launching.report.reset();
            run_child(child_end.get(), tasks, request.cgroup, child);
        }
    }
    const Status left = place.leave();
    TRY(std::move(entered));
    if (pid < 0) return Error::sys("clone", clone_errno);
    launching.pid = static_cast<pid_t>(pid);
    child_end.reset();
    Status settled = left ? settle(request, launching.pid, in_cgroup) : left;
    if (settled) settled = send_message(launching.report.get(), {.word = Word::Go});
    if (!settled) {
        discard(launching.pid);
        return std::move(settled).error();
    }
    return launching;
}

Status continue_as_sibling(uint64_t flags, Channel& channel) {
    bool in_cgroup = false;
    const long pid = make_child(flags | CLONE_PARENT, -1, in_cgroup);
    if (pid < 0) return Error::sys("clone");
    if (pid == 0) return ok();
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    TRY(channel.born(static_cast<pid_t>(pid), std::move(pidfd)));
    _exit(0);
}

Status await_birth(Launching& launching) {
    const pid_t first = launching.pid;
    Message message = TRY(receive_message(launching.report.get(), kBirth));
    TRY(launching.order.next(message.word));
    if (message.word == Word::Failed) return Error(message.kind, std::move(message.text), message.errnum);
    if (message.word != Word::Born) return Error::failed("the first child did not say whom it made");
    launching.pid = message.fd ? TRY(pid_of(message.fd.get())) : message.pid;
    while (waitpid(first, nullptr, __WALL) < 0 && errno == EINTR) {
    }
    return ok();
}

}  // namespace orlop::launch
