#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include "base/dir.h"
#include "runtime/launch/clone.h"
#include "runtime/launch/identity.h"
#include "runtime/launch/mount_api.h"
#include "runtime/launch/report.h"
#include "runtime/launch/rootfs.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

namespace orlop::launch {

namespace {

// Where a process was before: the host's /proc is still in sight. Raising back to the plan's value is always
// allowed.
Status set_oom_score(std::optional<int32_t> wanted) {
    const std::string text = std::to_string(wanted.value_or(0));
    const std::string now = TRY(read_file("/proc/self/oom_score_adj"));
    if (now == text + "\n") return ok();
    UniqueFd fd(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open /proc/self/oom_score_adj");
    return write_all(fd.get(), text).under("set oom_score_adj " + text);
}

Status set_sysctls(const std::vector<std::pair<std::string, std::string>>& sysctls) {
    for (const auto& [name, value] : sysctls) {
        std::string path = "/proc/sys/" + name;
        std::replace(path.begin() + 10, path.end(), '.', '/');
        UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!fd) return Error::sys("sysctl " + name);
        TRY(write_all(fd.get(), value).under("sysctl " + name + "=" + value));
    }
    return ok();
}

Status set_hostname(const std::string& hostname) {
    if (!hostname.empty() && sethostname(hostname.data(), hostname.size()) != 0) {
        return Error::sys("set hostname " + hostname);
    }
    return ok();
}

// Three plain descriptors, none of them among 0..2 by accident, so that dup2 cannot clobber a later one.
Status connect_stdio(const Stdio& io, uint32_t uid) {
    UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return Error::sys("open /dev/null");
    int from[3] = {io.in, io.out, io.err};
    for (int i = 0; i < 3; ++i) {
        if (from[i] < 0) from[i] = null.get();
        const int moved = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
        if (moved < 0) return Error::sys("dup");
        from[i] = moved;
    }
    for (int i = 0; i < 3; ++i) {
        if (dup2(from[i], i) < 0) return Error::sys("dup2");
        struct stat st {};
        // A process that is not root may open /dev/stdout again: its pipes are its own.
        if (fstat(i, &st) == 0 && S_ISFIFO(st.st_mode) && fchown(i, uid, st.st_gid) != 0)
            return Error::sys("chown stdio");
    }
    return ok();
}

// The slave is had from the master itself (TIOCGPTPEER), not by a path that could be a trap (CVE-2025-52565).
Status connect_terminal(int report, uint32_t uid, bool console) {
    UniqueFd master(open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master) return Error::sys("open /dev/pts/ptmx");
    int unlock = 0;
    if (ioctl(master.get(), TIOCSPTLCK, &unlock) != 0) return Error::sys("unlock the terminal");
    UniqueFd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!slave) return Error::sys("open the terminal's other side");
    if (fchown(slave.get(), uid, static_cast<gid_t>(-1)) != 0) return Error::sys("chown the terminal");
    if (console) {
        UniqueFd target = TRY(mount_point(AT_FDCWD, "/dev/console", false, true));
        TRY(attach(TRY(clone_tree(slave.get(), "", false)).get(), target.get()).under("mount /dev/console"));
    }
    for (int i = 0; i < 3; ++i) {
        if (dup2(slave.get(), i) < 0) return Error::sys("dup2");
    }
    if (ioctl(0, TIOCSCTTY, 0) != 0) return Error::sys("make it the controlling terminal");
    report_terminal(report, master.get());
    return ok();
}

std::string variable(const std::vector<std::string>& env, const std::string& name) {
    for (const std::string& e : env) {
        if (e.starts_with(name + "=")) return e.substr(name.size() + 1);
    }
    return "";
}

std::vector<char*> pointers(std::vector<std::string>& from) {
    std::vector<char*> out;
    for (std::string& s : from) out.push_back(s.data());
    out.push_back(nullptr);
    return out;
}

// execvp(3) with the container's own PATH; the first error that is not "not here" counts.
Status execute(std::vector<std::string> argv, std::vector<std::string> env) {
    const std::string program = argv.at(0);
    const std::string path = variable(env, "PATH");
    std::vector<char*> args = pointers(argv);
    std::vector<char*> environment = pointers(env);
    if (program.find('/') != std::string::npos) {
        execve(program.c_str(), args.data(), environment.data());
        return Error::sys("exec " + program);
    }
    int remembered = ENOENT;
    for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find(':', at), path.size());
        const std::string dir = path.substr(at, end - at);
        const std::string candidate = (dir.empty() ? "." : dir) + "/" + program;
        execve(candidate.c_str(), args.data(), environment.data());
        if (errno != ENOENT && errno != ENOTDIR) remembered = errno;
        at = end + 1;
    }
    return Error::sys("exec " + program + " (PATH " + path + ")", remembered);
}

Status enter_cwd(const std::string& cwd) {
    if (chdir(cwd.c_str()) != 0) {
        if (errno != ENOENT) return Error::sys("chdir " + cwd);
        UniqueFd made = TRY(mount_point(AT_FDCWD, cwd, true, false).under("make the working directory"));
        if (chdir(cwd.c_str()) != 0) return Error::sys("chdir " + cwd);
    }
    // CVE-2024-21626: a leaked descriptor could have led outside; the kernel then says "(unreachable)".
    char where[4096];
    if (syscall(SYS_getcwd, where, sizeof where) < 0) return Error::sys("getcwd");
    if (where[0] != '/') return Error::failed("working directory " + cwd + " is outside the container");
    return ok();
}

// The last part, the same for a first process and for an exec: in the container's root, still root.
Status finish_process(const Process& process, const Stdio& io, int report, bool console) {
    if (process.argv.empty()) return Error::invalid("no command");
    if (setsid() < 0) return Error::sys("setsid");
    UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return Error::sys("open /");
    const Resolved who = TRY(resolve_user_in(root.get(), process.user));
    if (process.terminal) {
        TRY(connect_terminal(report, who.identity.uid, console));
    } else {
        TRY(connect_stdio(io, who.identity.uid));
    }
    std::vector<std::string> env = process.env;
    if (variable(env, "HOME").empty()) env.push_back("HOME=" + who.home);
    TRY(enter_cwd(process.cwd));
    if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) != 0) return Error::sys("close_range");
    TRY(become(process, who.identity));
    report_identity(report, who.identity);
    return execute(process.argv, std::move(env));
}

Status container_child(const LaunchPlan& plan, const Stdio& io, const SandboxNamespaces& pod, int report) {
    TRY(set_oom_score(plan.process.oom_score_adj));
    TRY(join_if_asked(plan.net, -1, CLONE_NEWNET, "network namespace"));
    TRY(join_if_asked(plan.ipc, pod.ipc.get(), CLONE_NEWIPC, "ipc namespace"));
    TRY(join_if_asked(plan.uts, pod.uts.get(), CLONE_NEWUTS, "uts namespace"));
    if (plan.new_cgroup_namespace && unshare(CLONE_NEWCGROUP) != 0) return Error::sys("new cgroup namespace");
    if (plan.uts.from == NsFrom::New) TRY(set_hostname(plan.hostname));
    TRY(set_sysctls(plan.sysctls));
    TRY(build_root(plan));
    if (plan.root.readonly) {
        UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!root) return Error::sys("open /");
        // The working directory is made while that is still possible.
        TRY(mount_point(AT_FDCWD, plan.process.cwd, true, false).under("make the working directory"));
        TRY(set_attributes(root.get(), MOUNT_ATTR_RDONLY, 0, false).under("make the root read-only"));
    }
    return finish_process(plan.process, io, report, true);
}

// pause needs nothing: no capability, no identity of note, no file.
Status pause_child(const PausePlan& plan, int program, int report) {
    TRY(set_oom_score(plan.oom_score_adj));
    TRY(join_if_asked(plan.net, -1, CLONE_NEWNET, "network namespace"));
    TRY(set_hostname(plan.hostname));
    TRY(set_sysctls(plan.sysctls));
    if (setsid() < 0) return Error::sys("setsid");
    TRY(connect_stdio({}, 0));
    TRY(enter_empty_root());
    const Process nothing{.user = {}, .no_new_privileges = true};
    const Identity nobody{.uid = 65535, .gid = 65535, .groups = {65535}};
    TRY(become(nothing, nobody));
    report_identity(report, nobody);
    char name[] = "/pause";
    char* argv[] = {name, nullptr};
    char* env[] = {nullptr};
    syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
    return Error::sys("exec pause");
}

}  // namespace

Result<Launching> launch_container(const LaunchPlan& plan, const Stdio& io, const SandboxNamespaces& pod) {
    CloneRequest request{.flags = CLONE_NEWNS, .cgroup = &plan.cgroup};
    request.flags |= flag_if_new(plan.pid, CLONE_NEWPID) | flag_if_new(plan.net, CLONE_NEWNET) |
                     flag_if_new(plan.ipc, CLONE_NEWIPC) | flag_if_new(plan.uts, CLONE_NEWUTS);
    UniqueFd by_path;
    if (plan.pid.from == NsFrom::Sandbox) {
        if (!pod.pid) return Error::precondition("the pod has no pid namespace of its own");
        request.pid_namespace = pod.pid.get();
    } else if (plan.pid.from == NsFrom::Path) {
        by_path = UniqueFd(open(plan.pid.path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!by_path) return Error::sys("open pid namespace " + plan.pid.path);
        request.pid_namespace = by_path.get();
    }
    return clone_child(request, [&](int report) { return container_child(plan, io, pod, report); });
}

Result<Launching> launch_exec(const ExecPlan& plan, const Stdio& io, pid_t init) {
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, init, 0)));
    if (!pidfd) return Error::sys("pidfd_open of the container's first process");
    const CloneRequest request{.pid_namespace = pidfd.get(), .cgroup = &plan.cgroup};
    return clone_child(request, [&](int report) -> Status {
        TRY(set_oom_score(plan.process.oom_score_adj));
        // setns(2): all of them at once, so that there is no moment in a mixture.
        const int all = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
        TRY(join_namespace(pidfd.get(), all, "the container's namespaces"));
        return finish_process(plan.process, io, report, false);
    });
}

Result<Launching> launch_pause(const PausePlan& plan, int program) {
    CloneRequest request{.flags = CLONE_NEWNS, .cgroup = &plan.cgroup};
    request.flags |= flag_if_new(plan.pid, CLONE_NEWPID) | flag_if_new(plan.net, CLONE_NEWNET) |
                     flag_if_new(plan.ipc, CLONE_NEWIPC) | flag_if_new(plan.uts, CLONE_NEWUTS);
    return clone_child(request, [&](int report) { return pause_child(plan, program, report); });
}

}  // namespace orlop::launch
