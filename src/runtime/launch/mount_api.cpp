#include "runtime/launch/mount_api.h"

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
// <sys/mount.h> and <linux/mount.h> cannot both be had on el9; these are of mount_setattr(2).
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

namespace orlop::launch {

namespace {

constexpr unsigned long kRecursive = MS_REC;
constexpr unsigned long kNoSymfollow = 256;  // MS_NOSYMFOLLOW

long fsconfig(int fd, unsigned command, const char* key, const char* value) {
    return syscall(SYS_fsconfig, fd, command, key, value, 0);
}

// The kernel explains a refused option in lines that read(2) on the context returns ("e overlay: ...").
std::string explanation(int context) {
    char line[512];
    const ssize_t n = read(context, line, sizeof line);
    if (n <= 2) return "";
    std::string text(line + 2, static_cast<size_t>(n) - 2);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return " (" + text + ")";
}

// Every one of them, with arguments that cannot succeed: a kernel or a filter that has only some is of no
// use.
bool has_detached_mounts() {
    const std::array calls = {
        syscall(SYS_fsopen, nullptr, ~0u) < 0 && errno == ENOSYS,
        syscall(SYS_fsconfig, -1, 0, nullptr, nullptr, 0) < 0 && errno == ENOSYS,
        syscall(SYS_fsmount, -1, ~0u, 0) < 0 && errno == ENOSYS,
        syscall(SYS_open_tree, -1, nullptr, ~0u) < 0 && errno == ENOSYS,
        syscall(SYS_move_mount, -1, nullptr, -1, nullptr, ~0u) < 0 && errno == ENOSYS,
    };
    for (const bool missing : calls) {
        if (missing) return false;
    }
    return true;
}

unsigned long ms_flags(uint64_t attributes) {
    unsigned long flags = 0;
    if ((attributes & MOUNT_ATTR_RDONLY) != 0) flags |= MS_RDONLY;
    if ((attributes & MOUNT_ATTR_NOSUID) != 0) flags |= MS_NOSUID;
    if ((attributes & MOUNT_ATTR_NODEV) != 0) flags |= MS_NODEV;
    if ((attributes & MOUNT_ATTR_NOEXEC) != 0) flags |= MS_NOEXEC;
    if ((attributes & MOUNT_ATTR_NODIRATIME) != 0) flags |= MS_NODIRATIME;
    if ((attributes & MOUNT_ATTR_NOSYMFOLLOW) != 0) flags |= kNoSymfollow;
    const uint64_t atime = attributes & MOUNT_ATTR__ATIME;
    if (atime == MOUNT_ATTR_NOATIME) flags |= MS_NOATIME;
    if (atime == MOUNT_ATTR_STRICTATIME) flags |= MS_STRICTATIME;
    return flags;
}

uint64_t attributes_of(unsigned long f_flag) {
    uint64_t out = MOUNT_ATTR_RELATIME;
    if ((f_flag & ST_RDONLY) != 0) out |= MOUNT_ATTR_RDONLY;
    if ((f_flag & ST_NOSUID) != 0) out |= MOUNT_ATTR_NOSUID;
    if ((f_flag & ST_NODEV) != 0) out |= MOUNT_ATTR_NODEV;
    if ((f_flag & ST_NOEXEC) != 0) out |= MOUNT_ATTR_NOEXEC;
    if ((f_flag & ST_NODIRATIME) != 0) out |= MOUNT_ATTR_NODIRATIME;
    if ((f_flag & ST_NOATIME) != 0) out |= MOUNT_ATTR_NOATIME;
    if ((f_flag & (ST_NOATIME | ST_RELATIME)) == 0) out |= MOUNT_ATTR_STRICTATIME;
    return out;
}

// mount(2) takes the flags of a superblock apart from its other options.
unsigned long take_super_flag(const std::string& option) {
    static constexpr std::pair<const char*, unsigned long> kFlags[] = {
        {"ro", MS_RDONLY},         {"sync", MS_SYNCHRONOUS}, {"dirsync", MS_DIRSYNC},
        {"lazytime", MS_LAZYTIME}, {"mand", MS_MANDLOCK},    {"silent", MS_SILENT},
    };
    for (const auto& [name, flag] : kFlags) {
        if (option == name) return flag;
    }
    return 0;
}

uint64_t ms_propagation(Propagation propagation) {
    switch (propagation) {
        case Propagation::Private:
            return MS_PRIVATE;
        case Propagation::Slave:
            return MS_SLAVE;
        case Propagation::Shared:
            return MS_SHARED;
        case Propagation::Unbindable:
            return MS_UNBINDABLE;
    }
    return MS_PRIVATE;
}

// mount(2) on a descriptor: it has no such form, so the process stands in the /proc/self/fd that was opened
// before.
int mount_on_fd(int proc_fds, const char* source, int target, const char* type, unsigned long flags,
                const char* data) {
    UniqueFd back(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!back || fchdir(proc_fds) != 0) return errno;
    const std::string to = std::to_string(target);
    const int failed = mount(source, to.c_str(), type, flags, data) == 0 ? 0 : errno;
    return fchdir(back.get()) == 0 ? failed : errno;
}

}  // namespace

Result<Spot> find_spot(int root, const std::string& path, Resolve how, int flags) {
    Spot spot{.root = root, .path = path, .how = how, .fd = {}};
    spot.fd = TRY(open_under(root, path, O_PATH | flags, how));
    return spot;
}

Result<MountApi> MountApi::probe() {
    MountApi api;
    api.detached_ = has_detached_mounts();
    api.setattr_ = !(syscall(SYS_mount_setattr, -1, nullptr, ~0u, nullptr, 0) < 0 && errno == ENOSYS);
    if (api.detached_ && api.setattr_) return api;
    api.proc_fds_ = UniqueFd(open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!api.proc_fds_) return Error::sys("open /proc/self/fd");
    return api;
}

Result<MountApi::Pending> MountApi::new_mount(const std::string& type, const std::string& source,
                                              const MountOptions& options, uint64_t attributes) const {
    if (!detached_) {
        Pending out{.type = type, .source = source, .attributes = attributes};
        for (const auto& [key, value] : options) {
            if (!out.data.empty()) out.data += ',';
            out.data += value.empty() ? key : key + "=" + value;
        }
        return out;
    }
    UniqueFd context(static_cast<int>(syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC)));
    if (!context) return Error::sys("fsopen " + type);
    if (!source.empty() && fsconfig(context.get(), FSCONFIG_SET_STRING, "source", source.c_str()) != 0) {
        return Error::sys(type + ": set source");
    }
    for (const auto& [key, value] : options) {
        const long r = value.empty()
                           ? fsconfig(context.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr)
                           : fsconfig(context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str());
        if (r != 0) {
            const int e = errno;
            return Error::sys(
                type + ": option " + key + (value.empty() ? "" : "=" + value) + explanation(context.get()),
                e);
        }
    }
    if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr) != 0) {
        const int e = errno;
        return Error::sys("create " + type + explanation(context.get()), e);
    }
    Pending out;
    // Without mount_setattr(2) attributes that fsmount(2) does not know are set once it is attached.
    const uint64_t early = attributes & ~static_cast<uint64_t>(MOUNT_ATTR_NOSYMFOLLOW);
    out.fd.reset(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, early)));
    if (!out.fd) return Error::sys("fsmount " + type);
    if (early != attributes) TRY(set_attributes(out.fd.get(), MOUNT_ATTR_NOSYMFOLLOW, 0, false));
    return out;
}

Result<MountApi::Pending> MountApi::clone_tree(int dirfd, const std::string& path, bool recursive) const {
    Pending out{.type = "bind", .recursive = recursive};
    if (!detached_) {
        out.fd.reset(path.empty() ? fcntl(dirfd, F_DUPFD_CLOEXEC, 3)
                                  : openat(dirfd, path.c_str(), O_PATH | O_CLOEXEC));
        if (!out.fd) return Error::sys("open " + path);
        return out;
    }
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    if (recursive) flags |= AT_RECURSIVE;
    if (path.empty()) flags |= AT_EMPTY_PATH;
    out.fd.reset(static_cast<int>(syscall(SYS_open_tree, dirfd, path.c_str(), flags)));
    if (!out.fd) return Error::sys("open_tree " + path);
    return out;
}

Status MountApi::mount_named(const Pending& pending, int target) const {
    const bool bind = pending.type == "bind";
    // Read-only is the mount's own affair here, not the filesystem's: set afterwards.
    const uint64_t attributes = pending.attributes & ~static_cast<uint64_t>(MOUNT_ATTR_RDONLY);
    unsigned long flags = bind ? MS_BIND | (pending.recursive ? kRecursive : 0ul) : ms_flags(attributes);
    std::string data;
    for (size_t at = 0; at < pending.data.size();) {
        const size_t end = std::min(pending.data.find(',', at), pending.data.size());
        const std::string option = pending.data.substr(at, end - at);
        if (const unsigned long flag = take_super_flag(option); flag != 0) {
            flags |= flag;
        } else {
            data += (data.empty() ? "" : ",") + option;
        }
        at = end + 1;
    }
    const std::string source = bind ? std::to_string(pending.fd.get()) : pending.source;
    const int failed =
        mount_on_fd(proc_fds_.get(), source.c_str(), target, pending.type.c_str(), flags, data.c_str());
    if (failed != 0)
        return Error::sys("mount " + pending.type + (data.empty() ? "" : " with " + data), failed);
    return ok();
}

Result<UniqueFd> MountApi::attach(Pending pending, const Spot& spot) const {
    if (detached_) {
        const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
        if (syscall(SYS_move_mount, pending.fd.get(), "", spot.fd.get(), "", flags) != 0)
            return Error::sys("move_mount");
        return std::move(pending.fd);
    }
    TRY(mount_named(pending, spot.fd.get()));
    UniqueFd mounted = TRY(open_under(spot.root, spot.path, O_PATH, spot.how).under("open what was mounted"));
    if ((pending.attributes & MOUNT_ATTR_RDONLY) != 0) TRY(remount(mounted.get(), MOUNT_ATTR_RDONLY, 0));
    return mounted;
}

Status MountApi::change(int mount_root, unsigned long flags, const char* what) const {
    const int failed = mount_on_fd(proc_fds_.get(), nullptr, mount_root, nullptr, flags, nullptr);
    return failed == 0 ? ok() : Status(Error::sys(what, failed));
}

Status MountApi::remount(int mount_root, uint64_t set, uint64_t clear) const {
    struct statvfs now {};
    if (fstatvfs(mount_root, &now) != 0) return Error::sys("statvfs");
    uint64_t wanted = attributes_of(now.f_flag);
    if (((set | clear) & MOUNT_ATTR__ATIME) != 0) wanted &= ~static_cast<uint64_t>(MOUNT_ATTR__ATIME);
    wanted = (wanted & ~clear) | set;
    return change(mount_root, MS_REMOUNT | MS_BIND | ms_flags(wanted), "remount");
}

Status MountApi::set_attributes(int mount_root, uint64_t set, uint64_t clear, bool recursive) const {
    if (set == 0 && clear == 0) return ok();
    if (!setattr_) {
        if (recursive)
            return Error::unimplemented("recursive mount attributes need Linux 5.12 (mount_setattr)");
        return remount(mount_root, set, clear);
    }
    // mount_setattr(2): the access time modes are one field, which is cleared whole before one is set.
    if ((set & MOUNT_ATTR__ATIME) != 0 || (clear & MOUNT_ATTR__ATIME) != 0) clear |= MOUNT_ATTR__ATIME;
    mount_attr attr{.attr_set = set, .attr_clr = clear, .propagation = 0, .userns_fd = 0};
    const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0u);
    if (syscall(SYS_mount_setattr, mount_root, "", flags, &attr, sizeof attr) != 0)
        return Error::sys("mount_setattr");
    return ok();
}

Status MountApi::set_propagation(int mount_root, Propagation propagation, bool recursive) const {
    const uint64_t type = ms_propagation(propagation);
    if (setattr_) {
        mount_attr attr{.attr_set = 0, .attr_clr = 0, .propagation = type, .userns_fd = 0};
        const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0u);
        if (syscall(SYS_mount_setattr, mount_root, "", flags, &attr, sizeof attr) != 0) {
            return Error::sys("mount_setattr propagation");
        }
        return ok();
    }
    return change(mount_root, type | (recursive ? kRecursive : 0ul), "set the mount's propagation");
}

Status MountApi::set_idmap(int mount_root, int user_namespace, bool recursive) const {
    if (!detached_ || !setattr_)
        return Error::unimplemented("id-mapped mounts need Linux 5.12 (mount_setattr)");
    mount_attr attr{.attr_set = MOUNT_ATTR_IDMAP,
                    .attr_clr = 0,
                    .propagation = 0,
                    .userns_fd = static_cast<uint64_t>(user_namespace)};
    const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0u);
    if (syscall(SYS_mount_setattr, mount_root, "", flags, &attr, sizeof attr) != 0)
        return Error::sys("mount_setattr idmap");
    return ok();
}

Status mount_overlay_classic(const std::string& target, const std::string& data) {
    if (mount("orlop", target.c_str(), "overlay", 0, data.c_str()) != 0)
        return Error::sys("mount overlay with " + data);
    return ok();
}

Status make_all_private() {
    if (mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0)
        return Error::sys("make all mounts private");
    return ok();
}

Status enter_root(int root, bool pivot) {
    if (fchdir(root) != 0) return Error::sys("enter the new root");
    if (!pivot) {
        if (mount(".", "/", nullptr, MS_MOVE, nullptr) != 0) return Error::sys("move the new root to /");
        if (chroot(".") != 0) return Error::sys("chroot");
        return chdir("/") == 0 ? ok() : Status(Error::sys("chdir /"));
    }
    // pivot_root(2), "pivot_root(".", ".")": the old root ends up mounted over the new one, without a
    // directory for it.
    if (syscall(SYS_pivot_root, ".", ".") != 0) return Error::sys("pivot_root");
    if (umount2(".", MNT_DETACH) != 0) return Error::sys("detach the old root");
    if (chdir("/") != 0) return Error::sys("chdir /");
    return ok();
}

}  // namespace orlop::launch
