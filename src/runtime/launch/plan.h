// The launch plan: everything the executor needs to start one container, already translated from CRI or
// OCI terms and checked. Values only; made by runtime/plan (pure), carried to the shim, applied by launch.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orlop::launch {

// Where a namespace comes from.
enum class NsFrom : uint8_t {
    Host,     // the shim's own, which is the host's
    New,      // made for this process
    Path,     // joined: `path` names an nsfs file
    Sandbox,  // joined: the pod's, which the shim holds open (its pause process made it)
};

struct Namespace {
    NsFrom from = NsFrom::Host;
    std::string path;
};

// Who the process is. Text forms are looked up in the container's own /etc/passwd and /etc/group, inside its
// root.
struct User {
    std::string user;              // "", "uid", "name", "uid:gid", "name:group" (image config syntax)
    std::optional<uint32_t> uid;   // wins over `user`
    std::optional<uint32_t> gid;   // wins over `user` and passwd
    std::vector<uint32_t> groups;  // supplementary, added to those of /etc/group (unless strict)
    bool strict_groups = false;    // SupplementalGroupsPolicy Strict: none from /etc/group
};

// capabilities(7) sets as bit masks, bit n = capability n.
struct Capabilities {
    uint64_t bounding = 0, permitted = 0, effective = 0, inheritable = 0, ambient = 0;
};

struct Rlimit {
    uint32_t resource = 0;  // RLIMIT_*
    uint64_t soft = 0, hard = 0;
};

enum class Propagation : uint8_t { Private, Slave, Shared };

// One mount, in the order of mounting. Targets are resolved inside the new root; symlinks cannot lead out.
struct Mount {
    std::string
        type;  // "bind", "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup" (what the host has, v1 or v2)
    std::string source;       // bind: a host path (symlinks followed); else the name shown in mountinfo
    std::string target;       // absolute, in the container
    uint64_t attributes = 0;  // MOUNT_ATTR_* of mount_setattr(2)
    std::vector<std::pair<std::string, std::string>> options;  // fsconfig(2) key, value ("" = flag)
    Propagation propagation = Propagation::Private;
    bool recursive_readonly = false;  // bind: AT_RECURSIVE for MOUNT_ATTR_RDONLY
    bool make_directory = true;       // what to create for a missing target: a directory, else a file
};

struct DeviceNode {
    std::string path;  // absolute, in the container
    char type = 'c';   // c or b
    uint32_t major = 0, minor = 0;
    uint32_t mode = 0666;
    uint32_t uid = 0, gid = 0;
};

// The root: an overlay of image layers.
struct Root {
    std::vector<std::string> lowers;  // highest first; absolute host paths
    std::string upper, work;          // host directories on the same filesystem
    bool is_volatile = true;          // overlayfs "volatile": container layers need no sync
    bool readonly = false;
};

// The container's cgroup, existing and limited; the executor only joins it.
struct CgroupJoin {
    std::string path;                  // relative to every hierarchy's mount, for cgroups::Cgroup
    std::string v2_dir;                // clone3(CLONE_INTO_CGROUP) target; "" on pure v1
    std::vector<std::string> v1_dirs;  // cgroup.procs of each is written
};

// A v1 hierarchy as it shows in the container's /sys/fs/cgroup.
struct CgroupMount {
    std::string directory;  // "cpu,cpuacct"
    std::string options;    // "cpu,cpuacct" or "name=systemd"
};

struct Process {
    std::vector<std::string> argv;
    std::vector<std::string> env;  // KEY=VALUE
    std::string cwd = "/";
    User user;
    Capabilities capabilities;
    bool no_new_privileges = true;
    std::string seccomp;  // struct sock_filter[] as bytes, host byte order; "" = unconfined
    std::vector<Rlimit> rlimits;
    std::optional<int32_t> oom_score_adj;
    uint32_t umask = 0022;
    bool terminal = false;
};

struct LaunchPlan {
    std::string id;  // the container's
    Process process;
    Namespace pid, net, ipc, uts;
    bool new_cgroup_namespace = true;                          // the mount namespace is always new
    std::string hostname;                                      // "" = leave; only with a new uts namespace
    std::vector<std::pair<std::string, std::string>> sysctls;  // "net.ipv4.ip_forward" -> "1"
    Root root;
    std::string
        staging_dir;  // an empty host directory: the new root is attached there in the new mount namespace
    std::vector<Mount> mounts;
    std::vector<CgroupMount> cgroup_mounts;  // v1; empty = v2
    std::vector<DeviceNode> devices;
    std::vector<std::string> masked_paths, readonly_paths;
    CgroupJoin cgroup;
};

// The pod's own process: holds its namespaces, reaps its zombies when the pid namespace is shared.
struct PausePlan {
    std::string id;  // the sandbox's
    Namespace pid;   // New = shared by the pod's containers; Host = not needed
    Namespace net, ipc, uts;
    std::string hostname;
    std::vector<std::pair<std::string, std::string>> sysctls;
    std::optional<int32_t> oom_score_adj;
    CgroupJoin cgroup;
};

// A further process in a running container.
struct ExecPlan {
    Process process;
    CgroupJoin cgroup;  // the container's
};

template <class A>
void fields(A& a, Namespace& n) {
    a(n.from, n.path);
}
template <class A>
void fields(A& a, User& u) {
    a(u.user, u.uid, u.gid, u.groups, u.strict_groups);
}
template <class A>
void fields(A& a, Capabilities& c) {
    a(c.bounding, c.permitted, c.effective, c.inheritable, c.ambient);
}
template <class A>
void fields(A& a, Rlimit& r) {
    a(r.resource, r.soft, r.hard);
}
template <class A>
void fields(A& a, Mount& m) {
    a(m.type, m.source, m.target, m.attributes, m.options, m.propagation, m.recursive_readonly,
      m.make_directory);
}
template <class A>
void fields(A& a, DeviceNode& d) {
    a(d.path, d.type, d.major, d.minor, d.mode, d.uid, d.gid);
}
template <class A>
void fields(A& a, Root& r) {
    a(r.lowers, r.upper, r.work, r.is_volatile, r.readonly);
}
template <class A>
void fields(A& a, CgroupJoin& c) {
    a(c.path, c.v2_dir, c.v1_dirs);
}
template <class A>
void fields(A& a, CgroupMount& c) {
    a(c.directory, c.options);
}
template <class A>
void fields(A& a, Process& p) {
    a(p.argv, p.env, p.cwd, p.user, p.capabilities, p.no_new_privileges, p.seccomp, p.rlimits,
      p.oom_score_adj, p.umask, p.terminal);
}
template <class A>
void fields(A& a, LaunchPlan& p) {
    a(p.id, p.process, p.pid, p.net, p.ipc, p.uts, p.new_cgroup_namespace, p.hostname, p.sysctls, p.root,
      p.staging_dir, p.mounts, p.cgroup_mounts, p.devices, p.masked_paths, p.readonly_paths, p.cgroup);
}
template <class A>
void fields(A& a, PausePlan& p) {
    a(p.id, p.pid, p.net, p.ipc, p.uts, p.hostname, p.sysctls, p.oom_score_adj, p.cgroup);
}
template <class A>
void fields(A& a, ExecPlan& e) {
    a(e.process, e.cgroup);
}

}  // namespace orlop::launch
