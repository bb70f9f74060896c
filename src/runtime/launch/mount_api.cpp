#include "runtime/launch/mount_api.h"

#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

namespace orlop::launch {

namespace {

constexpr unsigned long kPrivate = 1ul << 18, kRecursive = 1ul << 14;  // MS_PRIVATE, MS_REC of mount(2)
constexpr int kDetach = 2;                                             // MNT_DETACH of umount2(2)

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

}  // namespace

Result<UniqueFd> new_mount(const std::string& type, const std::string& source, const MountOptions& options,
                           uint64_t attributes) {
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
    UniqueFd mount(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes)));
    if (!mount) return Error::sys("fsmount " + type);
    return mount;
}

Result<UniqueFd> clone_tree(int dirfd, const std::string& path, bool recursive) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    if (recursive) flags |= AT_RECURSIVE;
    if (path.empty()) flags |= AT_EMPTY_PATH;
    UniqueFd fd(static_cast<int>(syscall(SYS_open_tree, dirfd, path.c_str(), flags)));
    if (!fd) return Error::sys("open_tree " + path);
    return fd;
}

Status attach(int mount, int target) {
    const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    if (syscall(SYS_move_mount, mount, "", target, "", flags) != 0) return Error::sys("move_mount");
    return ok();
}

Status attach_at(int mount, const std::string& path) {
    if (syscall(SYS_move_mount, mount, "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
        return Error::sys("move_mount to " + path);
    }
    return ok();
}

Status set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive) {
    mount_attr attr{.attr_set = set, .attr_clr = clear, .propagation = 0, .userns_fd = 0};
    const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0u);
    if (syscall(SYS_mount_setattr, mount, "", flags, &attr, sizeof attr) != 0)
        return Error::sys("mount_setattr");
    return ok();
}

Status set_propagation(int mount, uint64_t propagation, bool recursive) {
    mount_attr attr{.attr_set = 0, .attr_clr = 0, .propagation = propagation, .userns_fd = 0};
    const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0u);
    if (syscall(SYS_mount_setattr, mount, "", flags, &attr, sizeof attr) != 0) {
        return Error::sys("mount_setattr propagation");
    }
    return ok();
}

Status mount_classic(const std::string& type, const std::string& target, const std::string& data) {
    if (syscall(SYS_mount, "orlop", target.c_str(), type.c_str(), 0, data.c_str()) != 0) {
        return Error::sys("mount " + type + " with " + data);
    }
    return ok();
}

Status make_all_private() {
    if (syscall(SYS_mount, nullptr, "/", nullptr, kPrivate | kRecursive, nullptr) != 0) {
        return Error::sys("make all mounts private");
    }
    return ok();
}

Status enter_root(int root) {
    if (fchdir(root) != 0) return Error::sys("enter the new root");
    // pivot_root(2), "pivot_root(".", ".")": the old root ends up mounted over the new one, without a
    // directory for it.
    if (syscall(SYS_pivot_root, ".", ".") != 0) return Error::sys("pivot_root");
    if (syscall(SYS_umount2, ".", kDetach) != 0) return Error::sys("detach the old root");
    if (chdir("/") != 0) return Error::sys("chdir /");
    return ok();
}

}  // namespace orlop::launch
