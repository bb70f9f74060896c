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
    Host,      // the shim's own, which is the host's
    New,       // made for this process
    Path,      // joined: `path` names an nsfs file
    Sandbox,   // joined: the pod's, which the shim holds open (its pause process made it)
    NetOwner,  // a user namespace only: joined, the one that the network namespace joined by path belongs to
};

struct Namespace {
    NsFrom from = NsFrom::Host;
    std::string path;
};

// One line of uid_map or gid_map (user_namespaces(7)).
struct IdMap {
    uint32_t inside = 0, outside = 0, size = 0;
};

// One line of timens_offsets (time_namespaces(7)).
struct TimeOffset {
    std::string clock;  // "monotonic" or "boottime"
    int64_t seconds = 0;
    uint32_t nanoseconds = 0;
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

// mount_namespaces(7), "Shared subtrees".
enum class Propagation : uint8_t { Private, Slave, Shared, Unbindable };

// One mount, in the order of mounting. Targets are resolved inside the new root; symlinks cannot lead out.
struct Mount {
    // "bind", "remount" (attributes of what is mounted there already), "cgroup" (what the host has, v1 or
    // v2), "image" (an overlay of layers, its options: "lowerdir" = a host path each, highest first), or a
    // filesystem type of the kernel: "proc", "sysfs", "tmpfs", "devpts", "mqueue", ...
    std::string type;
    // bind: a host path (symlinks followed); image: the path in it that is mounted, "" = all; else the name
    // shown in mountinfo
    std::string source;
    std::string target;       // absolute, in the container
    uint64_t attributes = 0;  // MOUNT_ATTR_* of mount_setattr(2), set on the mount itself
    uint64_t clear = 0;       // MOUNT_ATTR_* cleared on it: what "rw", "suid", "exec" say of a bind
    uint64_t recursive_attributes = 0, recursive_clear = 0;    // the same with AT_RECURSIVE ("rro", "rexec")
    std::vector<std::pair<std::string, std::string>> options;  // fsconfig(2) key, value ("" = flag)
    bool recursive = true;                                     // bind: with what is mounted below the source
    Propagation propagation = Propagation::Private;
    bool recursive_propagation = true;
    bool copy_up = false;        // tmpfs: filled with what the root has at the target ("tmpcopyup")
    bool make_directory = true;  // what to create for a missing target: a directory, else a file
    // MOUNT_ATTR_IDMAP with these maps; the container's own when both are empty and `idmap` is set.
    bool idmap = false, recursive_idmap = false;
    std::vector<IdMap> uid_map, gid_map;
};

struct DeviceNode {
    std::string path;  // absolute, in the container
    char type = 'c';   // c or b
    uint32_t major = 0, minor = 0;
    uint32_t mode = 0666;
    uint32_t uid = 0, gid = 0;
};

// The root: an overlay of image layers or a directory that is there already.
struct Root {
    std::string path;                 // the directory; "" = the overlay
    std::vector<std::string> lowers;  // highest first; absolute host paths
    std::string upper, work;          // host directories on the same filesystem
    bool is_volatile = true;          // overlayfs "volatile": container layers need no sync
    bool readonly = false;
    Propagation propagation = Propagation::Private;  // of "/" in the container (linux.rootfsPropagation)
    bool recursive_propagation = true;
    bool pivot = true;  // false: MS_MOVE and chroot(2), for an initramfs as root (--no-pivot)
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

// sched_setattr(2); the values of SCHED_* and SCHED_FLAG_*.
struct Scheduler {
    uint32_t policy = 0;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t runtime = 0, deadline = 0, period = 0;  // nanoseconds
};

// set_mempolicy(2).
struct MemoryPolicy {
    uint32_t mode = 0;  // MPOL_*, with MPOL_F_* flags
    std::vector<uint32_t> nodes;
};

// A compiled filter and how it is loaded (seccomp(2)).
struct Seccomp {
    std::string filter;  // struct sock_filter[] as bytes, host byte order; "" = unconfined
    uint32_t flags = 0;  // SECCOMP_FILTER_FLAG_*
    // With SECCOMP_FILTER_FLAG_NEW_LISTENER: the host's unix socket that gets the container process state
    // (runtime-spec config-linux.md, "The Container Process State") and the descriptor, and its metadata.
    std::string listener_path, listener_metadata;
};

struct Process {
    std::vector<std::string> argv;
    std::vector<std::string> env;  // KEY=VALUE
    std::string cwd = "/";
    User user;
    Capabilities capabilities;
    bool no_new_privileges = true;
    Seccomp seccomp;
    std::vector<Rlimit> rlimits;
    std::optional<int32_t> oom_score_adj;
    uint32_t umask = 0022;
    bool terminal = false;
    std::optional<std::pair<uint16_t, uint16_t>> console_size;  // rows, columns
    std::string apparmor_profile, selinux_label;                // "" = as the parent
    std::optional<Scheduler> scheduler;
    std::optional<uint16_t> io_priority;  // as ioprio_set(2) takes it: class and level
    std::vector<uint32_t> initial_cpus;   // execCPUAffinity: before it joins the cgroup; empty = as it is
    std::vector<uint32_t> final_cpus;     // ... and after
    std::optional<uint64_t> personality;  // personality(2)
    std::optional<MemoryPolicy> memory_policy;
    uint32_t preserve_fds = 0;  // descriptors 3 .. 3+n-1 stay open
};

// runtime-spec config.md, "POSIX-platform Hooks".
struct Hook {
    std::string path;  // absolute
    std::vector<std::string> args, env;
    std::optional<int32_t> timeout_seconds;
};

// A network device of the host that moves into the container's network namespace.
struct NetDevice {
    std::string host_name, container_name;
};

struct LaunchPlan {
    std::string id;  // the container's
    Process process;
    Namespace pid, net, ipc, uts, user, time;
    Namespace cgroup_namespace{NsFrom::New, ""}, mount_namespace{NsFrom::New, ""};
    std::vector<IdMap> uid_map, gid_map;  // of a new user namespace
    std::vector<TimeOffset> time_offsets;
    std::string hostname, domainname;                          // "" = leave; only with a new uts namespace
    std::vector<std::pair<std::string, std::string>> sysctls;  // "net.ipv4.ip_forward" -> "1"
    Root root;
    std::string
        staging_dir;  // an empty host directory: the new root is attached there in the new mount namespace
    std::vector<Mount> mounts;
    std::string mount_label;                 // SELinux context of filesystems that take one
    std::vector<CgroupMount> cgroup_mounts;  // v1; empty = v2
    std::vector<DeviceNode> devices;
    bool default_dev_links = true;  // /dev/fd, stdin, stdout, stderr, ptmx
    std::vector<std::string> masked_paths, readonly_paths;
    CgroupJoin cgroup;
    std::vector<NetDevice> net_devices;
    std::string session_keyring;  // keyctl(2) JOIN_SESSION_KEYRING of that name; "" = as the parent
    // Run by the child: in its namespaces before pivot_root, and in its root right before exec.
    std::vector<Hook> create_container, start_container;
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
    Namespace user;                       // Host, NetOwner, or New with the maps
    std::vector<IdMap> uid_map, gid_map;  // of the user namespace, whoever made it
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
void fields(A& a, IdMap& m) {
    a(m.inside, m.outside, m.size);
}
template <class A>
void fields(A& a, TimeOffset& t) {
    a(t.clock, t.seconds, t.nanoseconds);
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
    a(m.type, m.source, m.target, m.attributes, m.clear, m.recursive_attributes, m.recursive_clear, m.options,
      m.recursive, m.propagation, m.recursive_propagation, m.copy_up, m.make_directory, m.idmap,
      m.recursive_idmap, m.uid_map, m.gid_map);
}
template <class A>
void fields(A& a, DeviceNode& d) {
    a(d.path, d.type, d.major, d.minor, d.mode, d.uid, d.gid);
}
template <class A>
void fields(A& a, Root& r) {
    a(r.path, r.lowers, r.upper, r.work, r.is_volatile, r.readonly, r.propagation, r.recursive_propagation,
      r.pivot);
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
void fields(A& a, Scheduler& s) {
    a(s.policy, s.flags, s.nice, s.priority, s.runtime, s.deadline, s.period);
}
template <class A>
void fields(A& a, MemoryPolicy& m) {
    a(m.mode, m.nodes);
}
template <class A>
void fields(A& a, Seccomp& s) {
    a(s.filter, s.flags, s.listener_path, s.listener_metadata);
}
template <class A>
void fields(A& a, Process& p) {
    a(p.argv, p.env, p.cwd, p.user, p.capabilities, p.no_new_privileges, p.seccomp, p.rlimits,
      p.oom_score_adj, p.umask, p.terminal, p.console_size, p.apparmor_profile, p.selinux_label, p.scheduler,
      p.io_priority, p.initial_cpus, p.final_cpus, p.personality, p.memory_policy, p.preserve_fds);
}
template <class A>
void fields(A& a, Hook& h) {
    a(h.path, h.args, h.env, h.timeout_seconds);
}
template <class A>
void fields(A& a, NetDevice& d) {
    a(d.host_name, d.container_name);
}
template <class A>
void fields(A& a, LaunchPlan& p) {
    a(p.id, p.process, p.pid, p.net, p.ipc, p.uts, p.user, p.time, p.cgroup_namespace, p.mount_namespace,
      p.uid_map, p.gid_map, p.time_offsets, p.hostname, p.domainname, p.sysctls, p.root, p.staging_dir,
      p.mounts, p.mount_label, p.cgroup_mounts, p.devices, p.default_dev_links, p.masked_paths,
      p.readonly_paths, p.cgroup, p.net_devices, p.session_keyring, p.create_container, p.start_container);
}
template <class A>
void fields(A& a, PausePlan& p) {
    a(p.id, p.pid, p.net, p.ipc, p.uts, p.hostname, p.sysctls, p.oom_score_adj, p.cgroup, p.user, p.uid_map,
      p.gid_map);
}
template <class A>
void fields(A& a, ExecPlan& e) {
    a(e.process, e.cgroup);
}

}  // namespace orlop::launch
