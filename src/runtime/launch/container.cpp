#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/dir.h"
#include "base/weak.h"
#include "runtime/launch/clone.h"
#include "runtime/launch/hooks.h"
#include "runtime/launch/identity.h"
#include "runtime/launch/join.h"
#include "runtime/launch/mount_api.h"
#include "runtime/launch/net_devices.h"
#include "runtime/launch/process.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

// As it must not be done; see weak.h: by the container's own /proc, once its mounts are there.
Status set_sysctls_by_path(const std::vector<std::pair<std::string, std::string>>& sysctls) {
    for (const auto& [name, value] : sysctls) {
        std::string path = "/proc/sys/" + name;
        std::replace(path.begin() + 10, path.end(), '.', '/');
        UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!fd) return Error::sys("open " + path);
        TRY(write_all(fd.get(), value).under(path));
    }
    return ok();
}

// A procfs of our own, mounted nowhere: no one else can have changed what is below it (CVE-2025-52881), and
// it is writable where the host's is not (a node that is a container itself).
Result<UniqueFd> private_proc() {
    const MountApi api = TRY(MountApi::probe());
    if (api.detached()) {
        auto proc =
            api.new_mount("proc", "proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (proc) return std::move(proc->fd);
    }
    // Root of a user namespace may not always mount one.
    UniqueFd hosts(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!hosts) return Error::sys("open /proc");
    return hosts;
}

Status set_sysctls(const std::vector<std::pair<std::string, std::string>>& sysctls) {
    if (sysctls.empty()) return ok();
    UniqueFd proc = TRY(private_proc());
    for (const auto& [name, value] : sysctls) {
        std::string path = "sys/" + name;
        std::replace(path.begin() + 4, path.end(), '.', '/');
        UniqueFd fd =
            TRY(open_under(proc.get(), path, O_WRONLY, Resolve::NoSymlinks).under("sysctl " + name));
        TRY(write_all(fd.get(), value).under("sysctl " + name + "=" + value));
    }
    return ok();
}

Status set_names(const std::string& hostname, const std::string& domainname) {
    if (!hostname.empty() && sethostname(hostname.data(), hostname.size()) != 0)
        return Error::sys("set hostname " + hostname);
    if (!domainname.empty() && setdomainname(domainname.data(), domainname.size()) != 0)
        return Error::sys("set domainname " + domainname);
    return ok();
}

// keyrings(7): without one of its own a container would share its parent's.
Status join_keyring(const std::string& name) {
    if (name.empty()) return ok();
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str()) < 0 && errno != ENOSYS)
        return Error::sys("make session keyring " + name);
    return ok();
}

// With a user namespace of its own the parent has done it, who still may.
Status own_limits(const LaunchPlan& plan) {
    if (plan.user.from != NsFrom::Host) return ok();
    TRY(set_oom_score(plan.process.oom_score_adj));
    return set_scheduling(plan.process, 0);
}

struct ChildOf {
    const LaunchPlan& plan;
    const Stdio& io;
    const Joins& joins;
    const Pauses& pauses;
    uint64_t sibling_flags = 0;  // != 0: join the user namespace, then go on as a sibling made with these
    std::optional<Sources> sources{};  // taken by the parent
};

Result<std::string> runtime_hooks(const LaunchPlan& plan, Channel& channel) {
    const std::string state = TRY(channel.hooks());
    TRY(run_hooks("createContainer", plan.create_container, state, "/"));
    return state;
}

bool stops_for_hooks(const LaunchPlan& plan, const Pauses& pauses) {
    return pauses.hooks || !plan.create_container.empty() || !plan.start_container.empty() ||
           !plan.process.seccomp.listener_path.empty();
}

Status prepare_namespaces(const ChildOf& c, Channel& channel) {
    const LaunchPlan& plan = c.plan;
    TRY(c.joins.join_in_child());
    if (c.sibling_flags != 0) TRY(continue_as_sibling(c.sibling_flags, channel));
    if (plan.user.from != NsFrom::Host) TRY(become_namespace_root());
    TRY(become_untraceable());
    TRY(join_keyring(plan.session_keyring));
    if (plan.cgroup_namespace.from == NsFrom::New && unshare(CLONE_NEWCGROUP) != 0)
        return Error::sys("new cgroup namespace");
    if (plan.uts.from == NsFrom::New || plan.uts.from == NsFrom::Path)
        TRY(set_names(plan.hostname, plan.domainname));
    return weakened("private-proc") ? ok() : set_sysctls(plan.sysctls);
}

// In the user namespace that it is going to join, it could neither read the marks that overlayfs keeps in
// trusted.* attributes nor map the owners of the host's layers: it mounts them before, in a mount namespace
// that nobody else sees.
Status mount_layers_outside(ChildOf& c) {
    if (c.joins.user() < 0 || !c.plan.root.path.empty()) return ok();
    if (unshare(CLONE_NEWNS) != 0) return Error::sys("new mount namespace");
    const MountApi api = TRY(MountApi::probe());
    if (!c.sources) return Error::unimplemented("user namespaces need detached mounts (Linux 5.2)");
    TRY(make_all_private());
    return take_overlays(api, c.plan, c.joins.user(), *c.sources);
}

Status container_child(ChildOf& c, Channel& channel) {
    const LaunchPlan& plan = c.plan;
    TRY(own_limits(plan));
    TRY(mount_layers_outside(c));
    TRY(prepare_namespaces(c, channel));
    const HostHandles host = TRY(open_host_handles(plan.process));
    const MountApi api = TRY(MountApi::probe());
    if (!c.sources) c.sources = TRY(take_sources(api, plan));
    std::string state;
    const auto before_masking = [&]() -> Status {
        if (stops_for_hooks(plan, c.pauses)) state = TRY(runtime_hooks(plan, channel));
        return ok();
    };
    TRY(build_root(api, plan, *std::move(c.sources), before_masking));
    if (weakened("private-proc")) TRY(set_sysctls_by_path(plan.sysctls));
    if (plan.root.readonly) {
        UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!root) return Error::sys("open /");
        // The working directory is made while that is still possible.
        TRY(mount_point(root.get(), plan.process.cwd, true, false).under("make the working directory"));
        TRY(api.set_attributes(root.get(), MOUNT_ATTR_RDONLY, 0, false).under("make the root read-only"));
    }
    return finish_process({.process = plan.process,
                           .io = c.io,
                           .host = host,
                           .mounts = &api,
                           .state = std::move(state),
                           .start_hooks = &plan.start_container,
                           .gate = c.pauses.gate},
                          channel);
}

// The last id that everyone has, or else the last that there is.
uint32_t nobody_of(const std::vector<IdMap>& map) {
    return map.empty() ? 65535 : map.front().inside + std::min<uint32_t>(65536, map.front().size) - 1;
}

// pause needs nothing: no capability, no identity of note, no file.
Status pause_child(const PausePlan& plan, const Joins& joins, uint64_t sibling_flags, int program,
                   Channel& channel) {
    // In a user namespace that is new for it, it was done from outside.
    if (plan.user.from != NsFrom::New) TRY(set_oom_score(plan.oom_score_adj));
    TRY(joins.join_in_child());
    if (joins.user() >= 0) TRY(continue_as_sibling(sibling_flags, channel));
    if (plan.user.from != NsFrom::Host) TRY(become_namespace_root());
    TRY(become_untraceable());
    TRY(set_names(plan.hostname, ""));
    TRY(set_sysctls(plan.sysctls));
    if (setsid() < 0) return Error::sys("setsid");
    TRY(connect_stdio({}, 0));
    TRY(enter_empty_root(TRY(MountApi::probe())));
    const Process nothing{.user = {}, .no_new_privileges = true};
    const uint32_t gid = nobody_of(plan.gid_map);
    const Identity nobody{.uid = nobody_of(plan.uid_map), .gid = gid, .groups = {gid}};
    channel.exec(nobody);
    TRY(become(nothing, nobody));
    char name[] = "/pause";
    char* argv[] = {name, nullptr};
    char* env[] = {nullptr};
    syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
    return Error::sys("exec pause");
}

uint64_t new_namespaces(const LaunchPlan& plan) {
    return flag_if_new(plan.mount_namespace, CLONE_NEWNS) | flag_if_new(plan.pid, CLONE_NEWPID) |
           flag_if_new(plan.net, CLONE_NEWNET) | flag_if_new(plan.ipc, CLONE_NEWIPC) |
           flag_if_new(plan.uts, CLONE_NEWUTS) | flag_if_new(plan.user, CLONE_NEWUSER);
}

}  // namespace

Result<Launching> launch_container(const LaunchPlan& plan, const Stdio& io, const SandboxNamespaces& pod,
                                   const Pauses& pauses) {
    if (plan.mount_namespace.from == NsFrom::Host)
        return Error::invalid("a container needs a mount namespace, new or by path");
    const Joins joins = TRY(Joins::open(plan, pod));
    ChildOf child{.plan = plan, .io = io, .joins = joins, .pauses = pauses};
    if (parent_takes_sources(plan)) {
        const MountApi api = TRY(MountApi::probe());
        // mount(2) binds only what is in its own mount namespace: without the new calls the child has to.
        if (api.detached()) child.sources = TRY(take_sources(api, plan));
    }
    const bool joins_user = is_joined(plan.user);
    CloneRequest request{.flags = new_namespaces(plan), .born_in = joins.born_in(), .cgroup = &plan.cgroup};
    request.new_time = plan.time.from == NsFrom::New;
    request.offsets = plan.time_offsets;
    if (joins_user) {
        child.sibling_flags = request.flags;
        request.flags = 0;
    }
    request.prepare = [&](pid_t pid) -> Status {
        if (plan.user.from == NsFrom::New) TRY(map_ids(pid, plan.uid_map, plan.gid_map));
        if (plan.user.from != NsFrom::Host) {
            TRY(set_limits_of(plan.process, pid));
            TRY(set_scheduling(plan.process, pid));
        }
        return move_net_devices(plan.net_devices, plan.net, pid);
    };
    Launching launching =
        TRY(clone_child(request, [&](Channel& channel) { return container_child(child, channel); }));
    if (joins_user) TRY(await_birth(launching));
    return launching;
}

Result<Launching> launch_exec(const ExecPlan& plan, const Stdio& io, pid_t init, const std::string& state) {
    const InitNamespaces namespaces = TRY(InitNamespaces::open(init));
    const CloneRequest request{.born_in = {namespaces.pid()}, .cgroup = &plan.cgroup};
    return clone_child(request, [&](Channel& channel) -> Status {
        TRY(set_oom_score(plan.process.oom_score_adj));
        TRY(set_scheduling(plan.process, 0));
        const HostHandles host = TRY(open_host_handles(plan.process));
        TRY(become_untraceable());
        TRY(namespaces.join());
        return finish_process({.process = plan.process, .io = io, .host = host, .state = state}, channel);
    });
}

Result<Launching> launch_pause(const PausePlan& plan, int program) {
    LaunchPlan namespaces;
    namespaces.pid = plan.pid;
    namespaces.net = plan.net;
    namespaces.ipc = plan.ipc;
    namespaces.uts = plan.uts;
    namespaces.user = plan.user;
    namespaces.cgroup_namespace = {};
    const Joins joins = TRY(Joins::open(namespaces, {}));
    const uint64_t flags = new_namespaces(namespaces);
    const bool joins_user = is_joined(plan.user);
    CloneRequest request{.flags = joins_user ? 0 : flags, .born_in = joins.born_in(), .cgroup = &plan.cgroup};
    request.prepare = [&](pid_t pid) -> Status {
        if (plan.user.from != NsFrom::New) return ok();
        TRY(map_ids(pid, plan.uid_map, plan.gid_map));
        return set_oom_score(plan.oom_score_adj, "/proc/" + std::to_string(pid));
    };
    Launching launching = TRY(clone_child(
        request, [&](Channel& channel) { return pause_child(plan, joins, flags, program, channel); }));
    if (joins_user) TRY(await_birth(launching));
    return launching;
}

}  // namespace orlop::launch
