// The default filter in a real kernel, in a child that holds nothing but what containers hold.
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "runtime/plan/test_request.h"
#include "runtime/seccomp/machine.h"

namespace orlop::plan {
namespace {

using seccomp::ask_filter;
using seccomp::errno_return;

constexpr uint64_t kUsual = uint64_t{1} << CAP_AUDIT_WRITE | uint64_t{1} << CAP_SYS_CHROOT;
constexpr int kNotLoaded = 99;
constexpr int kSucceeded = 0;

bool load(const std::string& filter) {
    std::vector<sock_filter> steps(filter.size() / sizeof(sock_filter));
    std::memcpy(steps.data(), filter.data(), filter.size());
    const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

// What `attempt` gave under the filter: 0, or the errno of its failure. -1: the child did not exit by itself.
int under_filter(const std::string& filter, const std::function<long()>& attempt) {
    const pid_t child = fork();
    if (child == 0) {
        if (!load(filter)) _exit(kNotLoaded);
        _exit(attempt() < 0 ? errno : kSucceeded);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

class DefaultSeccompInTheKernel : public testing::Test {
  protected:
    void SetUp() override {
        if (prctl(PR_GET_SECCOMP) < 0) GTEST_SKIP() << "NEEDS a kernel with CONFIG_SECCOMP_FILTER";
        auto filter = default_seccomp(kUsual);
        ASSERT_TRUE(filter.ok()) << filter.error().what();
        filter_ = *filter;
    }
    std::string filter_;
};

// True (for the test to mean something) when the call would get past a process without the filter.
TEST_F(DefaultSeccompInTheKernel, RefusesWhatContainersMustNotDo) {
    const std::pair<const char*, std::function<long()>> rows[] = {
        {"mount", [] { return mount("none", "/nowhere", "tmpfs", 0, nullptr); }},
        {"AF_ALG socket", [] { return socket(AF_ALG, SOCK_SEQPACKET, 0); }},
        {"AF_VSOCK socket", [] { return socket(AF_VSOCK, SOCK_STREAM, 0); }},
        {"keyctl", [] { return syscall(SYS_keyctl, 0, -3, 1); }},
        {"add_key", [] { return syscall(SYS_add_key, "user", "k", "v", 1, -3); }},
        {"unshare of a user namespace", [] { return unshare(CLONE_NEWUSER); }},
        {"clone into a user namespace",
         [] {
             const long child =
                 syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
             if (child == 0) _exit(0);
             return child;
         }},
        {"io_uring", [] { return syscall(SYS_io_uring_setup, 1, nullptr); }},
        {"bpf", [] { return syscall(SYS_bpf, 0, nullptr, 0); }},
        {"open_by_handle_at", [] { return syscall(SYS_open_by_handle_at, -1, nullptr, 0); }},
    };
    for (const auto& [name, attempt] : rows) {
        SCOPED_TRACE(name);
        EXPECT_EQ(under_filter(filter_, attempt), EPERM);
    }
}

TEST_F(DefaultSeccompInTheKernel, HidesClone3SoThatLibrariesFallBack) {
    EXPECT_EQ(under_filter(filter_,
                           [] {
                               clone_args args{};
                               args.exit_signal = SIGCHLD;
                               const long child = syscall(SYS_clone3, &args, sizeof args);
                               if (child == 0) _exit(0);
                               return child;
                           }),
              ENOSYS);
}

TEST_F(DefaultSeccompInTheKernel, LetsOrdinaryProgramsRun) {
    const auto run = [](const char* program) {
        return [program]() -> long {
            const pid_t child = fork();
            if (child == 0) {
                execl("/bin/sh", "sh", "-c", program, nullptr);
                _exit(127);
            }
            int status = 0;
            if (child < 0 || waitpid(child, &status, 0) != child) return -1;
            errno = ECHILD;
            return status == 0 ? 0 : -1;
        };
    };
    EXPECT_EQ(under_filter(filter_, run("/bin/true")), kSucceeded);
    EXPECT_EQ(under_filter(filter_, run("ls / | sort | head -1 >/dev/null && chmod --help >/dev/null")),
              kSucceeded);
}

TEST_F(DefaultSeccompInTheKernel, LetsSocketsOfTheUsualFamiliesThrough) {
    EXPECT_EQ(under_filter(filter_, [] { return socket(AF_UNIX, SOCK_STREAM, 0); }), kSucceeded);
    EXPECT_EQ(under_filter(filter_, [] { return socket(AF_INET, SOCK_DGRAM, 0); }), kSucceeded);
    EXPECT_EQ(under_filter(filter_, [] { return socket(AF_NETLINK, SOCK_RAW, 0); }), kSucceeded);
}

}  // namespace
}  // namespace orlop::plan
