#include "runtime/launch/process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/dir.h"
#include "base/weak.h"
#include "runtime/launch/hooks.h"
#include "runtime/launch/identity.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

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

Status can_execute(const std::string& path) {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0) return Error::sys("exec " + path);
    if (S_ISDIR(st.st_mode)) return Error::sys("exec " + path, EISDIR);
    if ((st.st_mode & 0111) == 0) return Error::sys("exec " + path, EACCES);
    return ok();
}

// execvp(3) with the container's own PATH, looked up while an error can still be told to whoever creates the
// container; the first error that is not "not here" counts.
Result<std::string> find_program(const std::string& program, const std::string& path) {
    if (program.find('/') != std::string::npos) {
        TRY(can_execute(program));
        return program;
    }
    Error remembered =
        Error::sys("exec: \"" + program + "\": executable file not found in $PATH (" + path + ")", ENOENT);
    for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find(':', at), path.size());
        const std::string dir = path.substr(at, end - at);
        const std::string candidate = (dir.empty() ? "." : dir) + "/" + program;
        const Status there = can_execute(candidate);
        if (there) return candidate;
        if (there.error().errnum() != ENOENT && there.error().errnum() != ENOTDIR) remembered = there.error();
        at = end + 1;
    }
    return remembered;
}

Status enter_cwd(const std::string& cwd) {
    if (chdir(cwd.c_str()) != 0) {
        if (errno != ENOENT) return Error::sys("chdir " + cwd);
        UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!root) return Error::sys("open /");
        TRY(mount_point(root.get(), cwd, true, false).under("make the working directory"));
        if (chdir(cwd.c_str()) != 0) return Error::sys("chdir " + cwd);
    }
    // CVE-2024-21626: a leaked descriptor could have led outside; the kernel then says "(unreachable)".
    char where[4096];
    if (syscall(SYS_getcwd, where, sizeof where) < 0) return Error::sys("getcwd");
    if (where[0] != '/' && !weakened("cwd-check"))
        return Error::failed("working directory " + cwd + " is outside the container");
    return ok();
}

bool lsm_enabled(const char* switch_file, char on) {
    auto text = read_file(switch_file);
    return text && !text->empty() && text->front() == on;
}

Result<UniqueFd> open_attribute(const char* path) {
    UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
    if (!fd) return Error::sys(std::string("open ") + path);
    return fd;
}

// The state that came before the gate, as it is after it (runtime-spec runtime.md, "State").
std::string created(std::string state) {
    static constexpr std::string_view kBefore = "\"status\":\"creating\"";
    const size_t at = state.find(kBefore);
    if (at != std::string::npos) state.replace(at, kBefore.size(), "\"status\":\"created\"");
    return state;
}

std::vector<int> needed(const Finish& how, const Channel& channel) {
    std::vector<int> keep = {channel.fd()};
    for (const int fd :
         {how.gate, how.host.own_fds.get(), how.host.exec_attribute.get(), how.host.listener.get()}) {
        if (fd >= 0) keep.push_back(fd);
    }
    return keep;
}

}  // namespace

Result<HostHandles> open_host_handles(const Process& process) {
    HostHandles out;
    if (syscall(SYS_close_range, ~0u, ~0u, 0u) != 0 && errno == ENOSYS) {
        out.own_fds.reset(open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!out.own_fds) return Error::sys("open /proc/self/fd");
    }
    if (!process.apparmor_profile.empty()) {
        if (!lsm_enabled("/sys/module/apparmor/parameters/enabled", 'Y'))
            return Error::precondition("AppArmor profile " + process.apparmor_profile +
                                       ": this host has no AppArmor");
        auto own = open_attribute("/proc/self/attr/apparmor/exec");
        out.exec_attribute = own ? *std::move(own) : TRY(open_attribute("/proc/self/attr/exec"));
        out.label = "exec " + process.apparmor_profile;
    }
    if (!process.selinux_label.empty()) {
        if (access("/sys/fs/selinux/enforce", F_OK) != 0)
            return Error::precondition("SELinux label " + process.selinux_label +
                                       ": this host has no SELinux");
        out.exec_attribute = TRY(open_attribute("/proc/self/attr/exec"));
        out.label = process.selinux_label;
    }
    if (!process.seccomp.listener_path.empty())
        out.listener = TRY(connect_listener(process.seccomp.listener_path));
    return out;
}

Status finish_process(const Finish& how, Channel& channel) {
    const Process& process = how.process;
    if (process.argv.empty()) return Error::invalid("no command");
    if (setsid() < 0) return Error::sys("setsid");
    UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return Error::sys("open /");
    const Resolved who = TRY(resolve_user_in(root.get(), process.user));
    root.reset();
    if (process.terminal) {
        TRY(connect_terminal(process, who.identity.uid, how.mounts, channel));
    } else {
        TRY(connect_stdio(how.io, who.identity.uid));
    }
    std::vector<std::string> argv = process.argv;
    std::vector<std::string> env = process.env;
    if (variable(env, "HOME").empty()) env.push_back("HOME=" + who.home);
    if (!weakened("close-fds"))
        TRY(close_others(process.preserve_fds, needed(how, channel), how.host.own_fds.get()));
    TRY(enter_cwd(process.cwd));
    const std::string program = TRY(find_program(argv.front(), variable(env, "PATH")));
    // Who creates the container has to hear of a limit that cannot be set, not who starts it.
    TRY(set_limits(process.rlimits));
    if (how.gate >= 0) TRY(channel.created(who.identity, how.gate));
    if (how.start_hooks != nullptr)
        TRY(run_hooks("startContainer", *how.start_hooks, created(how.state), "/"));
    if (process.memory_policy) TRY(set_memory_policy(*process.memory_policy));
    if (process.personality && personality(*process.personality) < 0) return Error::sys("set personality");
    if (how.host.exec_attribute)
        TRY(write_all(how.host.exec_attribute.get(), how.host.label)
                .under("set the label " + how.host.label));
    // From here on a filter may forbid to say anything.
    channel.exec(who.identity);
    TRY(become(process, who.identity, how.host.listener.get(), how.state));
    std::vector<char*> args = pointers(argv);
    std::vector<char*> environment = pointers(env);
    execve(program.c_str(), args.data(), environment.data());
    return Error::sys("exec " + program);
}

}  // namespace orlop::launch
