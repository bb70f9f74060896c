#include "runtime/launch/join.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace orlop::launch {

namespace {

constexpr std::pair<int, const char*> kTypes[] = {
    {CLONE_NEWIPC, "ipc"},       {CLONE_NEWUTS, "uts"},   {CLONE_NEWNET, "net"},
    {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWTIME, "time"}, {CLONE_NEWNS, "mnt"},
};

bool is_parents(int type) {
    return type == CLONE_NEWPID || type == CLONE_NEWTIME;
}

std::string ns_path(const std::string& pid, const char* name) {
    return "/proc/" + pid + "/ns/" + name;
}

// Another namespace than our own? What cannot be told counts as another one.
bool differs(const std::string& pid, const char* name) {
    struct stat ours {
    }, theirs{};
    if (stat(ns_path("self", name).c_str(), &ours) != 0 || stat(ns_path(pid, name).c_str(), &theirs) != 0)
        return true;
    return ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev;
}

}  // namespace

Status Joins::add(const Namespace& ns, int pods, int type, const char* name) {
    if (ns.from == NsFrom::Sandbox) {
        if (pods < 0)
            return Error::precondition(std::string("the pod has no ") + name + " namespace of its own");
        all_.push_back({pods, type, std::string("the pod's ") + name + " namespace"});
    }
    if (ns.from != NsFrom::Path) return ok();
    UniqueFd fd(::open(ns.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return Error::sys(std::string("open ") + name + " namespace " + ns.path);
    all_.push_back({fd.get(), type, std::string(name) + " namespace " + ns.path});
    opened_.push_back(std::move(fd));
    return ok();
}

Status Joins::add_owner_of_network() {
    for (const Joined& ns : all_) {
        if (ns.type != CLONE_NEWNET) continue;
        UniqueFd owner(ioctl(ns.fd, NS_GET_USERNS));
        if (!owner) return Error::sys("open the user namespace of " + ns.what);
        all_.push_back({owner.get(), CLONE_NEWUSER, "the user namespace of " + ns.what});
        opened_.push_back(std::move(owner));
        return ok();
    }
    return Error::invalid("the pod's user namespace is that of its network, and it has none");
}

Result<Joins> Joins::open(const LaunchPlan& plan, const SandboxNamespaces& pod) {
    Joins out;
    out.new_user_ = plan.user.from == NsFrom::New;
    TRY(out.add(plan.pid, pod.pid.get(), CLONE_NEWPID, "pid"));
    TRY(out.add(plan.time, -1, CLONE_NEWTIME, "time"));
    TRY(out.add(plan.net, -1, CLONE_NEWNET, "network"));
    TRY(out.add(plan.ipc, pod.ipc.get(), CLONE_NEWIPC, "ipc"));
    TRY(out.add(plan.uts, pod.uts.get(), CLONE_NEWUTS, "uts"));
    TRY(out.add(plan.cgroup_namespace, -1, CLONE_NEWCGROUP, "cgroup"));
    TRY(out.add(plan.mount_namespace, -1, CLONE_NEWNS, "mount"));
    if (plan.user.from == NsFrom::NetOwner) TRY(out.add_owner_of_network());
    TRY(out.add(plan.user, pod.user.get(), CLONE_NEWUSER, "user"));
    if (is_joined(plan.user)) out.user_ = out.all_.back().fd;
    return out;
}

std::vector<Joined> Joins::born_in() const {
    std::vector<Joined> out;
    for (const Joined& ns : all_) {
        const bool early = new_user_ && ns.type != CLONE_NEWNS && ns.type != CLONE_NEWUSER;
        if (early || is_parents(ns.type)) out.push_back(ns);
    }
    return out;
}

Status Joins::join_in_child() const {
    std::vector<const Joined*> later;
    for (const Joined& ns : all_) {
        if (is_parents(ns.type) || ns.type == CLONE_NEWUSER) continue;
        if (new_user_ && ns.type != CLONE_NEWNS) continue;
        const Status joined = join_namespace(ns);
        if (joined) continue;
        // It belongs to the user namespace that comes next.
        if (user_ < 0 || joined.error().errnum() != EPERM) return joined;
        later.push_back(&ns);
    }
    if (user_ >= 0) TRY(join_namespace(all_.back()));
    for (const Joined* ns : later) TRY(join_namespace(*ns));
    return ok();
}

Status become_namespace_root() {
    if (setgroups(0, nullptr) != 0 && errno != EPERM) return Error::sys("drop groups in the user namespace");
    // EINVAL: 0 is not mapped there, and the process stays who it is to the outside.
    if (setresgid(0, 0, 0) != 0 && errno != EINVAL) return Error::sys("become group 0 of the user namespace");
    if (setresuid(0, 0, 0) != 0 && errno != EINVAL) return Error::sys("become root of the user namespace");
    return ok();
}

Result<InitNamespaces> InitNamespaces::open(pid_t init) {
    InitNamespaces out;
    const std::string pid = std::to_string(init);
    out.pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, init, 0)));
    if (!out.pidfd_ && errno != ENOSYS) return Error::sys("pidfd_open of the container's first process");
    out.user_differs_ = differs(pid, "user");
    out.root_.reset(::open(("/proc/" + pid + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!out.root_) return Error::sys("open the root of the container's first process");
    const bool time_differs = differs(pid, "time");
    if (out.pidfd_) {
        // setns(2): all of them at once, so that there is no moment in a mixture.
        int all = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
        if (out.user_differs_) all |= CLONE_NEWUSER;
        if (time_differs) all |= CLONE_NEWTIME;
        out.joins_ = {{out.pidfd_.get(), all, "the container's namespaces"}};
        out.pid_ = {out.pidfd_.get(), CLONE_NEWPID, "the container's pid namespace"};
        return out;
    }
    const auto take = [&](int type, const char* name) -> Result<Joined> {
        UniqueFd fd(::open(ns_path(pid, name).c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd) return Error::sys("open " + ns_path(pid, name));
        const Joined joined{fd.get(), type, std::string("the container's ") + name + " namespace"};
        out.opened_.push_back(std::move(fd));
        return joined;
    };
    out.pid_ = TRY(take(CLONE_NEWPID, "pid"));
    if (out.user_differs_) out.joins_.push_back(TRY(take(CLONE_NEWUSER, "user")));
    for (const auto& [type, name] : kTypes) {
        if (type == CLONE_NEWTIME && !time_differs) continue;
        out.joins_.push_back(TRY(take(type, name)));
    }
    return out;
}

Status InitNamespaces::join() const {
    for (const Joined& ns : joins_) TRY(join_namespace(ns));
    struct stat now {
    }, theirs{};
    if (stat("/", &now) != 0 || fstat(root_.get(), &theirs) != 0)
        return Error::sys("stat the container's root");
    if (now.st_ino != theirs.st_ino || now.st_dev != theirs.st_dev) {
        if (fchdir(root_.get()) != 0 || chroot(".") != 0) return Error::sys("enter the container's root");
    }
    return user_differs_ ? become_namespace_root() : ok();
}

}  // namespace orlop::launch
