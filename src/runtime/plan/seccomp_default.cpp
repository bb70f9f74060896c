// The profile "RuntimeDefault". What it does not name fails with ENOSYS, as on a kernel that is too old for
// it: programs have a fallback for that. What it refuses on purpose fails with EPERM.
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

#include "base/weak.h"
#include "runtime/plan/plan.h"
#include "runtime/seccomp/filter.h"

namespace orlop::plan {

namespace {

using seccomp::SeccompFilter;

constexpr uint32_t kAllow = SCMP_ACT_ALLOW;
constexpr uint32_t kRefuse = SCMP_ACT_ERRNO(EPERM);
constexpr uint32_t kUnknown = SCMP_ACT_ERRNO(ENOSYS);

constexpr uint64_t cap(int number) {
    return uint64_t{1} << number;
}

// Allowed to everybody, by subject; 32-bit variants beside their 64-bit ones.
constexpr std::string_view kAllowed[] = {
    // files and directories
    "access chdir chmod chown chown32 close close_range creat faccessat faccessat2 fallocate fchdir fchmod "
    "fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 flock fstat fstat64 fstatat64 fstatfs "
    "fstatfs64 ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl lchown lchown32 link linkat "
    "listmount lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 "
    "readlink readlinkat rename renameat renameat2 rmdir stat stat64 statfs statfs64 statmount statx symlink "
    "symlinkat truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes",
    // extended attributes
    "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat "
    "llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat",
    // reading, writing, waiting for descriptors
    "_llseek _newselect cachestat copy_file_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl "
    "epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 fadvise64 "
    "fadvise64_64 fanotify_mark fdatasync fsync inotify_add_watch inotify_init inotify_init1 "
    "inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup "
    "io_submit lseek pipe pipe2 poll ppoll ppoll_time64 pread64 preadv preadv2 pselect6 pselect6_time64 "
    "pwrite64 pwritev pwritev2 read readahead readv select sendfile sendfile64 splice sync sync_file_range "
    "syncfs tee vmsplice write writev",
    // memory
    "brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap "
    "mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect "
    "process_mrelease remap_file_pages",
    // processes and threads; ptrace(2) cannot escape a filter since Linux 4.8
    "capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getpgid "
    "getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid ioprio_get ioprio_set kill "
    "pidfd_open pidfd_send_signal prctl prlimit64 process_vm_readv process_vm_writev ptrace rseq "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
    "sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr "
    "sched_setparam sched_setscheduler sched_yield set_robust_list set_thread_area set_tid_address setpgid "
    "setpriority setrlimit setsid tgkill times tkill ugetrlimit uretprobe vfork wait4 waitid waitpid",
    // user and group ids
    "getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 "
    "getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 "
    "setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid "
    "setreuid32 setuid setuid32",
    // signals
    "pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn "
    "rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 "
    "sigprocmask sigreturn",
    // clocks and timers; setting them is another matter: adjtimex(2) checks CAP_SYS_TIME itself
    "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
    "clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time "
    "timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
    "timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64",
    // futexes and System V or POSIX communication
    "futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake ipc mq_getsetattr mq_notify mq_open "
    "mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv "
    "msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget",
    // sockets; socket(2) itself has conditions, below, and socketcall(2) has one
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg "
    "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair",
    // the rest
    "getrandom landlock_add_rule landlock_create_ruleset landlock_restrict_self lsm_get_self_attr "
    "lsm_list_modules lsm_set_self_attr seccomp sysinfo uname",
#if defined(__x86_64__)
    "arch_prctl modify_ldt",
#elif defined(__aarch64__)
    "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
#endif
};

// Refused to everybody who has a filter. Keys are not namespaced; io_uring(7) reaches operations past the
// filter; the others change the machine, or are history.
constexpr std::string_view kRefused =
    "_sysctl add_key bdflush create_module get_kernel_syms io_uring_enter io_uring_register io_uring_setup "
    "kexec_file_load kexec_load keyctl migrate_pages move_pages nfsservctl nice oldfstat oldlstat "
    "oldolduname "
    "oldstat olduname pciconfig_iobase pciconfig_read pciconfig_write pivot_root query_module request_key "
    "sgetmask ssetmask swapoff swapon sysfs uselib userfaultfd ustat vm86 vm86old";

struct Group {
    uint64_t any_of;  // capabilities, one of which is enough
    std::string_view syscalls;
};

constexpr Group kGroups[] = {
    {cap(CAP_SYS_ADMIN),
     "fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree "
     "quotactl quotactl_fd setdomainname sethostname setns umount umount2 unshare"},
    {cap(CAP_SYS_ADMIN) | cap(CAP_BPF), "bpf"},
    {cap(CAP_SYS_ADMIN) | cap(CAP_PERFMON), "perf_event_open"},
    {cap(CAP_SYS_ADMIN) | cap(CAP_SYSLOG), "syslog"},
    {cap(CAP_DAC_READ_SEARCH), "open_by_handle_at"},
    {cap(CAP_SYS_BOOT), "reboot"},
    {cap(CAP_SYS_CHROOT), "chroot"},
    {cap(CAP_SYS_MODULE), "delete_module finit_module init_module"},
    {cap(CAP_SYS_NICE), "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    {cap(CAP_SYS_PACCT), "acct"},
    {cap(CAP_SYS_PTRACE), "kcmp pidfd_getfd process_madvise"},
    {cap(CAP_SYS_RAWIO), "ioperm iopl"},
    {cap(CAP_SYS_TIME), "clock_settime clock_settime64 settimeofday stime"},
    {cap(CAP_SYS_TTY_CONFIG), "vhangup"},
};

// An int argument: the kernel drops the upper half of the register, so a rule must not look at it.
scmp_arg_cmp int_equals(unsigned argument, uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, 0xffffffff, value};
}

Status allow_clone(SeccompFilter& filter, bool administrator) {
    // clone3(2) has its flags behind a pointer: without CAP_SYS_ADMIN it stays unknown, and libc uses
    // clone(2).
    if (administrator) return filter.add_all("clone clone3", kAllow);
    constexpr uint64_t kNamespaces[] = {CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
                                        CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};
    uint64_t all = 0;
    for (const uint64_t flag : kNamespaces) {
        TRY(filter.add("clone", kRefuse, {{0, SCMP_CMP_MASKED_EQ, flag, flag}}));
        all |= flag;
    }
    return filter.add("clone", kAllow, {{0, SCMP_CMP_MASKED_EQ, all, 0}});
}

// Families that exist today. AF_ALG is attack surface that containers have no use for, AF_VSOCK reaches the
// hypervisor past every network namespace.
Status allow_sockets(SeccompFilter& filter, bool audit) {
    constexpr int kLastFamily = AF_XDP + 1;  // AF_MCTP
    for (int family = AF_UNSPEC; family <= kLastFamily; ++family) {
        const bool refused = family == AF_ALG || family == AF_VSOCK;
        const scmp_arg_cmp is_family = int_equals(0, static_cast<uint64_t>(family));
        if (family != AF_NETLINK || audit) {
            TRY(filter.add("socket", refused ? kRefuse : kAllow, {is_family}));
            continue;
        }
        // PAM takes EINVAL for "no audit in this kernel" and goes on.
        TRY(filter.add("socket", SCMP_ACT_ERRNO(EINVAL), {is_family, int_equals(2, NETLINK_AUDIT)}));
        TRY(filter.add("socket", kAllow, {is_family, {2, SCMP_CMP_NE, NETLINK_AUDIT, 0}}));
    }
    return ok();
}

Status allow_personality(SeccompFilter& filter) {
    // PER_LINUX, PER_LINUX32, each with UNAME26; the last one only asks.
    for (const uint64_t persona : {0x0ull, 0x8ull, 0x20000ull, 0x20008ull, 0xffffffffull}) {
        TRY(filter.add("personality", kAllow, {{0, SCMP_CMP_EQ, persona, 0}}));
    }
    return ok();
}

Status add_architectures(SeccompFilter& filter) {
#if defined(__x86_64__)
    TRY(filter.add_architecture(SCMP_ARCH_X86));
    TRY(filter.add_architecture(SCMP_ARCH_X32));
#elif defined(__aarch64__)
    TRY(filter.add_architecture(SCMP_ARCH_ARM));
#else
    (void)filter;
#endif
    return ok();
}

// socketcall(2) has its arguments behind a pointer: by it a 32-bit program would have sockets of every
// family. For making them it does not exist; since Linux 4.3 there is socket(2) for 32-bit programs, too.
// This goes before a filter, as libseccomp can say it only of both calls at once; jumps in it are relative.
std::string without_socketcall() {
#if defined(__x86_64__)
    constexpr uint32_t kSocketcall = 102;  // of the 32-bit table
    const sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSocketcall, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),  // the lower half
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_SOCKET, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    return {reinterpret_cast<const char*>(steps), sizeof steps};
#else
    return {};
#endif
}

// The capabilities that make a difference.
uint64_t relevant(uint64_t capabilities) {
    uint64_t mask = cap(CAP_SYS_ADMIN) | cap(CAP_AUDIT_WRITE);
    for (const Group& group : kGroups) mask |= group.any_of;
    return capabilities & mask;
}

}  // namespace

Result<std::string> default_seccomp(uint64_t bounding_capabilities) {
    SeccompFilter filter = TRY(SeccompFilter::make(kUnknown));
    TRY(add_architectures(filter));
    for (const std::string_view names : kAllowed) TRY(filter.add_all(names, kAllow));
    TRY(filter.add_all(kRefused, kRefuse));
    for (const Group& group : kGroups) {
        const bool allowed = (group.any_of & bounding_capabilities) != 0;
        TRY(filter.add_all(group.syscalls, allowed ? kAllow : kRefuse));
    }
    TRY(allow_clone(filter, (bounding_capabilities & cap(CAP_SYS_ADMIN)) != 0));
    TRY(allow_sockets(filter, (bounding_capabilities & cap(CAP_AUDIT_WRITE)) != 0));
    TRY(allow_personality(filter));
    const std::string program = TRY(filter.compile());
    return weakened("socketcall") ? program : without_socketcall() + program;
}

Result<std::string> SeccompCache::default_filter(uint64_t bounding_capabilities) {
    const uint64_t key = relevant(bounding_capabilities);
    const std::lock_guard lock(mutex_);
    auto found = filters_.find(key);
    if (found == filters_.end()) {
        if (filters_.size() >= kLimit) filters_.clear();
        found = filters_.emplace(key, TRY(default_seccomp(bounding_capabilities))).first;
    }
    return found->second;
}

}  // namespace orlop::plan
