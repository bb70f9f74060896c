// Attacks on the kernel from inside an ordinary container: system calls and filesystems that it must not
// reach.
#include <gmock/gmock.h>

#include "harness/attack_test.h"
#include "harness/mount_table.h"

namespace orlop::it {
namespace {

using ::testing::AnyOf;

class AttacksOnTheKernel : public AttackTest {
  protected:
    void SetUp() override {
        AttackTest::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        image_ = hostile_image("it-attacker", {attacker_file("attacker")});
        import(image_);
    }
    // The exit code of an attempt (attacker.cpp): 0 = possible, 1 = refused, 2 = something else was in the
    // way.
    int attempt(const std::vector<std::string>& what) {
        std::vector<std::string> command = {"/attacker"};
        command.insert(command.end(), what.begin(), what.end());
        Json container = in_image(command_config("attempt", command), image_);
        container["linux"]["security_context"]["seccomp"] = {{"profile_type", 0}};  // RuntimeDefault
        const Outcome outcome = run_to_end(new_pod("attempt"), container);
        EXPECT_TRUE(outcome.started) << outcome.refusal;
        told_ = outcome.out;
        return outcome.code;
    }
    void expect_refused_only_by(const std::string& defence, const std::vector<std::string>& what) {
        expect_defended(defence, [&] {
            const int code = attempt(what);
            EXPECT_THAT(code, AnyOf(0, 1)) << told_;
            return code == 0;
        });
    }
    static bool on_x86() {
#if defined(__x86_64__)
        return true;
#else
        return false;
#endif
    }

    ImageSpec image_;
    std::string told_;
};

// CVE-2022-0185, and many since: namespaces of one's own open the kernel's filesystem code.
TEST_F(AttacksOnTheKernel, AFilesystemContextInANewUserNamespace) {
    expect_refused_only_by("default-seccomp", {"fsconfig"});
}

// CVE-2026-31431: the kernel's cryptography, by each way to a socket. A kernel without it answers "no such
// family" to whom it is asked by: then the filter let the question through.
TEST_F(AttacksOnTheKernel, AnAlgSocket) {
    expect_refused_only_by("default-seccomp", {"alg"});
}

TEST_F(AttacksOnTheKernel, AnAlgSocketBy32BitCalls) {
    if (!on_x86()) GTEST_SKIP() << "SKIPPED: needs x86's 32-bit system calls";
    expect_refused_only_by("default-seccomp", {"alg-32"});
}

TEST_F(AttacksOnTheKernel, AnAlgSocketBySocketcall) {
    if (!on_x86()) GTEST_SKIP() << "SKIPPED: needs x86's 32-bit system calls";
    expect_refused_only_by("socketcall", {"alg-socketcall"});
}

TEST_F(AttacksOnTheKernel, AVsockSocketBySocketcall) {
    if (!on_x86()) GTEST_SKIP() << "SKIPPED: needs x86's 32-bit system calls";
    expect_refused_only_by("socketcall", {"vsock-socketcall"});
}

// What must go on: 32-bit programs have had a system call of their own for sockets since Linux 4.3.
TEST_F(AttacksOnTheKernel, AnOrdinary32BitSocketIsNoAttack) {
    if (!on_x86()) GTEST_SKIP() << "SKIPPED: needs x86's 32-bit system calls";
    EXPECT_EQ(attempt({"inet-32"}), 0) << told_;
}

// CVE-2022-0492: a cgroup hierarchy mounted anew in namespaces of one's own is writable.
TEST_F(AttacksOnTheKernel, ACgroupMountInANewUserNamespace) {
    if (place().unified) {
        expect_refused_only_by("default-seccomp", {"cgroup-v2"});
    } else {
        expect_refused_only_by("default-seccomp", {"cgroup-v1", "memory"});
    }
}

// CVE-2022-0492, CVE-2023-25809: the container's own cgroup directory takes files and directories.
TEST_F(AttacksOnTheKernel, WritingToTheCgroupFilesystem) {
    expect_defended("readonly-cgroup", [&] {
        const std::string script =
            "cd /sys/fs/cgroup || exit 1\n"
            "for dir in . */; do\n"
            "  if mkdir $dir/escape 2>/dev/null; then rmdir $dir/escape; echo made in $dir; exit 0; fi\n"
            "  for file in $dir/release_agent $dir/notify_on_release $dir/cgroup.procs; do\n"
            "    if (echo 0 >$file) 2>/dev/null; then echo wrote to $file; exit 0; fi\n"
            "  done\n"
            "done\n"
            "exit 1\n";
        return run_to_end(new_pod("cgroup"), shell_config("cgroup", script)).code == 0;
    });
}

// And outside of its own directory there is nothing to see: the namespace ends the tree.
TEST_F(AttacksOnTheKernel, TheHostsReleaseAgentIsNotInSight) {
    const Outcome outcome = run_to_end(
        new_pod("agent"), shell_config("agent", "find /sys/fs/cgroup -name release_agent | grep ."));
    EXPECT_EQ(outcome.code, 1) << outcome.out;
}

}  // namespace
}  // namespace orlop::it
