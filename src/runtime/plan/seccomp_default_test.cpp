#include <linux/net.h>
#include <sched.h>
#include <sys/socket.h>

#include "runtime/plan/test_request.h"
#include "runtime/seccomp/machine.h"

namespace orlop::plan {
namespace {

using seccomp::ask_filter;
using seccomp::errno_return;
using seccomp::run_filter;

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
const uint32_t kPerm = errno_return(EPERM);
const uint32_t kNosys = errno_return(ENOSYS);

constexpr uint64_t bit(int capability) {
    return uint64_t{1} << capability;
}
constexpr uint64_t kUsual = bit(CAP_CHOWN) | bit(CAP_SYS_CHROOT) | bit(CAP_AUDIT_WRITE);

std::string filter_for(uint64_t capabilities) {
    auto filter = default_seccomp(capabilities);
    EXPECT_TRUE(filter.ok());
    return filter.value_or("");
}

struct CallRow {
    const char* name;
    uint64_t capabilities;
    const char* syscall;
    std::vector<uint64_t> args;
    uint32_t expected;
};

TEST(DefaultSeccomp, AnswersEveryCallAsTheProfileSays) {
    const std::vector<CallRow> rows = {
        {"reading is free", 0, "read", {}, kAllow},
        {"writing is free", 0, "write", {}, kAllow},
        {"exec is free", 0, "execve", {}, kAllow},
        {"ptrace is free", 0, "ptrace", {}, kAllow},
        {"mount needs SYS_ADMIN", kUsual, "mount", {}, kPerm},
        {"mount with SYS_ADMIN", bit(CAP_SYS_ADMIN), "mount", {}, kAllow},
        {"the new mount API needs it, too", kUsual, "fsopen", {}, kPerm},
        {"unshare needs SYS_ADMIN", kUsual, "unshare", {CLONE_NEWUSER}, kPerm},
        {"setns needs SYS_ADMIN", kUsual, "setns", {}, kPerm},
        {"pivot_root is for nobody", bit(CAP_SYS_ADMIN), "pivot_root", {}, kPerm},
        {"keyctl is for nobody", all_capabilities(), "keyctl", {}, kPerm},
        {"add_key is for nobody", all_capabilities(), "add_key", {}, kPerm},
        {"io_uring is for nobody", all_capabilities(), "io_uring_setup", {}, kPerm},
        {"userfaultfd is for nobody", all_capabilities(), "userfaultfd", {}, kPerm},
        {"kexec is for nobody", all_capabilities(), "kexec_load", {}, kPerm},
        {"chroot with SYS_CHROOT", kUsual, "chroot", {}, kAllow},
        {"chroot without", 0, "chroot", {}, kPerm},
        {"bpf with BPF", bit(CAP_BPF), "bpf", {}, kAllow},
        {"bpf with SYS_ADMIN", bit(CAP_SYS_ADMIN), "bpf", {}, kAllow},
        {"bpf with neither", kUsual, "bpf", {}, kPerm},
        {"syslog with SYSLOG", bit(CAP_SYSLOG), "syslog", {}, kAllow},
        {"open_by_handle_at without DAC_READ_SEARCH", kUsual, "open_by_handle_at", {}, kPerm},
        {"open_by_handle_at with it", bit(CAP_DAC_READ_SEARCH), "open_by_handle_at", {}, kAllow},
        {"modules with SYS_MODULE", bit(CAP_SYS_MODULE), "finit_module", {}, kAllow},
        {"setting the clock without SYS_TIME", kUsual, "clock_settime", {}, kPerm},
        {"plain clone", kUsual, "clone", {SIGCHLD}, kAllow},
        {"a thread's clone", kUsual, "clone", {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND}, kAllow},
        {"clone with a user namespace", kUsual, "clone", {CLONE_NEWUSER | SIGCHLD}, kPerm},
        {"clone with two namespaces", kUsual, "clone", {CLONE_NEWNS | CLONE_NEWPID | SIGCHLD}, kPerm},
        {"clone with the upper half set", kUsual, "clone", {(1ull << 32) | CLONE_NEWNET}, kPerm},
        {"clone with a namespace and SYS_ADMIN", bit(CAP_SYS_ADMIN), "clone", {CLONE_NEWNS}, kAllow},
        {"clone3 is unknown", kUsual, "clone3", {}, kNosys},
        {"clone3 with SYS_ADMIN", bit(CAP_SYS_ADMIN), "clone3", {}, kAllow},
        {"personality Linux", 0, "personality", {0}, kAllow},
        {"personality query", 0, "personality", {0xffffffff}, kAllow},
        {"personality UNAME26", 0, "personality", {0x20008}, kAllow},
        {"personality without address randomization", 0, "personality", {0x40000}, kNosys},
        {"an IPv6 socket", 0, "socket", {AF_INET6, SOCK_STREAM, 0}, kAllow},
        {"a unix socket", 0, "socket", {AF_UNIX, SOCK_STREAM, 0}, kAllow},
        {"a netlink socket", 0, "socket", {AF_NETLINK, SOCK_RAW, 0}, kAllow},
        {"a family between the refused ones", 0, "socket", {AF_NFC, SOCK_RAW, 0}, kAllow},
        {"the newest family", 0, "socket", {AF_XDP, SOCK_RAW, 0}, kAllow},
        {"AF_ALG", all_capabilities(), "socket", {AF_ALG, SOCK_SEQPACKET, 0}, kPerm},
        {"AF_ALG behind a set upper half", 0, "socket", {(1ull << 32) | AF_ALG, SOCK_SEQPACKET, 0}, kPerm},
        {"AF_VSOCK", all_capabilities(), "socket", {AF_VSOCK, SOCK_STREAM, 0}, kPerm},
        {"no such family", 0, "socket", {999, SOCK_STREAM, 0}, kNosys},
        {"audit without AUDIT_WRITE", 0, "socket", {AF_NETLINK, SOCK_RAW, 9}, errno_return(EINVAL)},
        {"audit with AUDIT_WRITE", kUsual, "socket", {AF_NETLINK, SOCK_RAW, 9}, kAllow},
    };
    SeccompCache cache;
    for (const CallRow& row : rows) {
        SCOPED_TRACE(row.name);
        const std::string filter = cache.default_filter(row.capabilities).value_or("");
        seccomp_data data{};
        data.nr = seccomp_syscall_resolve_name(row.syscall);
        data.arch = seccomp_arch_native();
        std::copy(row.args.begin(), row.args.end(), data.args);
        EXPECT_EQ(run_filter(filter, data), row.expected);
    }
}

TEST(DefaultSeccomp, TellsProgramsThatUnknownCallsDoNotExist) {
    seccomp_data data{};
    data.nr = 0x7fff;
    data.arch = seccomp_arch_native();
    EXPECT_EQ(run_filter(filter_for(kUsual), data), kNosys);
}

#if defined(__x86_64__)
TEST(DefaultSeccomp, HoldsForThe32BitCallsToo) {
    const std::string filter = filter_for(kUsual);
    EXPECT_EQ(ask_filter(filter, "read", {}, SCMP_ARCH_X86), kAllow);
    EXPECT_EQ(ask_filter(filter, "stat64", {}, SCMP_ARCH_X86), kAllow);
    EXPECT_EQ(ask_filter(filter, "mount", {}, SCMP_ARCH_X86), kPerm);
    EXPECT_EQ(ask_filter(filter, "keyctl", {}, SCMP_ARCH_X86), kPerm);
    seccomp_data socket_call{};
    socket_call.arch = SCMP_ARCH_X86;
    socket_call.nr = 359;  // by name libseccomp gives the number that stands for socketcall(2)
    socket_call.args[0] = AF_ALG;
    EXPECT_EQ(run_filter(filter, socket_call), kPerm);
    socket_call.args[0] = AF_INET;
    EXPECT_EQ(run_filter(filter, socket_call), kAllow);
    socket_call.nr = 102;  // socketcall(2); its first argument says which call
    socket_call.args[0] = SYS_SOCKET;
    EXPECT_EQ(run_filter(filter, socket_call), kNosys) << "what family it asks for cannot be seen";
    socket_call.args[0] = SYS_CONNECT;
    EXPECT_EQ(run_filter(filter, socket_call), kAllow);
    EXPECT_EQ(ask_filter(filter, "clone", {CLONE_NEWUSER}, SCMP_ARCH_X86), kPerm);
    EXPECT_EQ(ask_filter(filter, "read", {}, SCMP_ARCH_X32), kAllow);
    EXPECT_EQ(ask_filter(filter, "mount", {}, SCMP_ARCH_X32), kPerm);
    EXPECT_EQ(ask_filter(filter, "socket", {AF_ALG}, SCMP_ARCH_X32), kPerm);
}
#endif

TEST(DefaultSeccomp, FitsTheKernelForEveryCapabilityByItself) {
    for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
        SCOPED_TRACE(capability);
        const std::string filter = filter_for(uint64_t{1} << capability);
        EXPECT_GT(filter.size(), 0u);
        EXPECT_LE(filter.size(), 4096 * sizeof(sock_filter));
    }
}

TEST(SeccompCache, GivesTheFilterOfTheCapabilities) {
    SeccompCache cache;
    for (const uint64_t capabilities : {kUsual, uint64_t{0}, bit(CAP_SYS_ADMIN), kUsual}) {
        const auto filter = cache.default_filter(capabilities);
        ASSERT_TRUE(filter.ok());
        EXPECT_EQ(*filter, filter_for(capabilities));
    }
}

TEST(SeccompCache, TakesCapabilitiesThatMakeNoDifferenceForOne) {
    SeccompCache cache;
    const auto with = cache.default_filter(kUsual | bit(CAP_NET_ADMIN));
    const auto without = cache.default_filter(kUsual);
    ASSERT_TRUE(with.ok() && without.ok());
    EXPECT_EQ(*with, *without);
}

}  // namespace
}  // namespace orlop::plan
