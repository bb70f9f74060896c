#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include "base/weak.h"
#include "runtime/launch/identity.h"
#include "runtime/launch/process.h"

namespace orlop::launch {

namespace {

constexpr int kCapabilities = 64;

bool has(uint64_t set, int capability) {
    return ((set >> capability) & 1) != 0;
}

Status drop_bounding(uint64_t keep) {
    for (int c = 0; c < kCapabilities; ++c) {
        // EINVAL: the kernel does not know this one, nor any later one.
        const int known = prctl(PR_CAPBSET_READ, c, 0, 0, 0);
        if (known < 0) return ok();
        if (known == 1 && !has(keep, c) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0) {
            return Error::sys("drop capability " + std::to_string(c) + " from the bounding set");
        }
    }
    return ok();
}

Status apply_capabilities(const Capabilities& caps) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2];
    for (int half = 0; half < 2; ++half) {
        data[half].effective = static_cast<uint32_t>(caps.effective >> (32 * half));
        data[half].permitted = static_cast<uint32_t>(caps.permitted >> (32 * half));
        data[half].inheritable = static_cast<uint32_t>(caps.inheritable >> (32 * half));
    }
    if (syscall(SYS_capset, &header, data) != 0) return Error::sys("capset");
    for (int c = 0; c < kCapabilities; ++c) {
        if (has(caps.ambient, c) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) != 0) {
            return Error::sys("raise ambient capability " + std::to_string(c));
        }
    }
    return ok();
}

// A change of uid emptied the effective set; loading a filter may need CAP_SYS_ADMIN out of the permitted
// one.
Status raise_permitted() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return Error::sys("capget");
    for (__user_cap_data_struct& half : data) half.effective = half.permitted;
    if (syscall(SYS_capset, &header, data) != 0) return Error::sys("raise capabilities");
    return ok();
}

constexpr unsigned long kNewListener = 1ul << 3;  // SECCOMP_FILTER_FLAG_NEW_LISTENER

Status load_seccomp(const Seccomp& seccomp, int listener, const std::string& state) {
    if (seccomp.filter.empty()) return ok();
    std::vector<sock_filter> code(seccomp.filter.size() / sizeof(sock_filter));
    std::copy_n(seccomp.filter.data(), code.size() * sizeof(sock_filter),
                reinterpret_cast<char*>(code.data()));
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    const long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, seccomp.flags, &program);
    if (r < 0) return Error::sys("load the seccomp filter");
    if ((seccomp.flags & kNewListener) == 0) return ok();
    UniqueFd notify(static_cast<int>(r));
    return send_listener(listener, notify.get(), seccomp, state);
}

Status set_ids(const Identity& identity) {
    // setresuid(2): -1 means "leave it", and what there is now is root (CVE-2024-40635).
    const uint32_t leave = UINT32_MAX;
    if ((identity.uid == leave || identity.gid == leave) && !weakened("id-range"))
        return Error::invalid("no process can have user or group 4294967295");
    // user_namespaces(7): setgroups may be denied; that is fine only if there are none to lose.
    if (!weakened("groups") && setgroups(identity.groups.size(), identity.groups.data()) != 0) {
        const int setgroups_errno = errno;
        if (setgroups_errno != EPERM || getgroups(0, nullptr) != 0)
            return Error::sys("setgroups", setgroups_errno);
    }
    if (setresgid(identity.gid, identity.gid, identity.gid) != 0) return Error::sys("setresgid");
    // capabilities(7): a change of all uids from 0 clears the permitted set unless this is on.
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return Error::sys("keep capabilities");
    if (setresuid(identity.uid, identity.uid, identity.uid) != 0) return Error::sys("setresuid");
    return raise_permitted();
}

}  // namespace

Status become(const Process& process, const Identity& identity, int listener, const std::string& state) {
    TRY(drop_bounding(process.capabilities.bounding));
    TRY(set_ids(identity));
    umask(process.umask);
    if (process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return Error::sys("set no_new_privs");
    // seccomp(2): without no_new_privs only CAP_SYS_ADMIN may load a filter; with it, the less a filter has
    // to allow for our own sake, the better: only capset, prctl and execve follow.
    if (process.no_new_privileges) {
        TRY(apply_capabilities(process.capabilities));
        return load_seccomp(process.seccomp, listener, state);
    }
    TRY(load_seccomp(process.seccomp, listener, state));
    return apply_capabilities(process.capabilities);
}

}  // namespace orlop::launch
