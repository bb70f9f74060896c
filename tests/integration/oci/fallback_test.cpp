// The runtime on older kernels: system calls denied (ENOSYS) around it, a representative part of the suites.
#include <unistd.h>

#include <filesystem>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

struct Kernel {
    std::string name;
    std::string lacks;  // as deny_syscalls takes it
    bool has(const std::string& call) const {
        return ("," + lacks + ",").find("," + call + ",") == std::string::npos;
    }
};

void PrintTo(const Kernel& kernel, std::ostream* out) {
    *out << "a kernel without " << kernel.lacks;
}

// What 4.18 (el8) and 5.14 (el9) lack of what runtimes use, and each of them alone. 457 and 458 are statmount
// and listmount, which libseccomp 2.5 has no names for.
std::vector<Kernel> kernels() {
    std::vector<Kernel> all = {
        {"el8",
         "openat2,clone3,mount_setattr,open_tree,move_mount,fsopen,fsconfig,fsmount,fspick,pidfd_open,pidfd_"
         "send_signal,"
         "pidfd_getfd,close_range,faccessat2,epoll_pwait2,process_madvise,futex_waitv,457,458"},
        {"el9", "futex_waitv,457,458"},
    };
    for (const char* call :
         {"openat2", "clone3", "mount_setattr", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount",
          "pidfd_open", "pidfd_send_signal", "pidfd_getfd", "close_range", "faccessat2", "epoll_pwait2"})
        all.push_back({call, call});
    return all;
}

class OlderKernels : public OciTest, public ::testing::WithParamInterface<Kernel> {
  protected:
    void SetUp() override {
        OciTest::SetUp();
        const std::string self = std::filesystem::read_symlink("/proc/self/exe").parent_path();
        runtime().wrap({self + "/deny_syscalls", GetParam().lacks, "--"});
    }
};

TEST_P(OlderKernels, TheCallsAreReallyDenied) {
    // busybox' sh has no such calls to try: the filter in the status is the proof that it reaches inside.
    EXPECT_EQ(output_of(shell_spec("grep ^Seccomp: /proc/self/status | cut -f2")), "2");
}

TEST_P(OlderKernels, RunAndExitCodes) {
    const Reply reply = run_to_end(shell_spec("echo out; echo $$; exit 5"));
    EXPECT_EQ(reply.code, 5) << reply.err;
    EXPECT_EQ(reply.out, "out\n1\n");
}

TEST_P(OlderKernels, TheWholeLife) {
    const Bundle b = bundle();
    ASSERT_EQ(create(b, sleeper_spec()).code, 0) << *read_file(b.log());
    EXPECT_EQ(status(b), "created");
    ASSERT_EQ(oci({"start", b.id}).code, 0);
    EXPECT_EQ(exec(b, "exit 6").code, 6);
    ASSERT_EQ(oci({"kill", b.id, "KILL"}).code, 0);
    ASSERT_TRUE(becomes(b, "stopped"));
    EXPECT_EQ(oci({"delete", b.id}).code, 0);
    expect_nothing_left(b);
}

TEST_P(OlderKernels, MountOptionsAndReadOnlyRoot) {
    const Bundle b = bundle();
    ASSERT_TRUE(make_dirs(b.file("shared")));
    Json spec = shell_spec(
        "awk '$5==\"/m\"{print $6}' /proc/self/mountinfo; touch /m/x 2>&1; touch /x 2>&1; touch /tmp/x && "
        "echo tmp");
    spec["root"]["readonly"] = true;
    ASSERT_TRUE(make_dirs(b.rootfs + "/m"));
    add_mount(spec, "bind", b.file("shared"), "/m", {"rbind", "ro", "nosuid", "nodev", "noexec"});
    add_mount(spec, "tmpfs", "tmpfs", "/tmp", {"size=1m", "mode=1777"});
    const Reply reply = run_to_end(b, spec);
    EXPECT_NE(reply.out.find("ro,nosuid,nodev,noexec"), std::string::npos) << reply.out << reply.err;
    EXPECT_NE(reply.out.find("/m/x: Read-only"), std::string::npos) << reply.out;
    EXPECT_NE(reply.out.find("/x: Read-only"), std::string::npos) << reply.out;
    EXPECT_NE(reply.out.find("tmp\n"), std::string::npos) << reply.out;
}

TEST_P(OlderKernels, MaskedAndReadonlyPaths) {
    Json spec = shell_spec("wc -c </proc/meminfo; ls /sys/kernel | wc -l; touch /etc/x 2>&1");
    spec["linux"]["maskedPaths"] = {"/proc/meminfo", "/sys/kernel"};
    spec["linux"]["readonlyPaths"] = {"/etc"};
    const Reply reply = run_to_end(spec);
    EXPECT_TRUE(reply.out.starts_with("0\n0\n")) << reply.out << reply.err;
    EXPECT_NE(reply.out.find("Read-only"), std::string::npos) << reply.out;
}

TEST_P(OlderKernels, ASymlinkForAMountPointStaysInTheRoot) {
    const Bundle b = bundle();
    ASSERT_TRUE(make_dirs(b.file("outside")));
    std::filesystem::create_symlink(b.file("outside"), b.rootfs + "/m");
    Json spec = shell_spec("true");
    add_mount(spec, "tmpfs", "tmpfs", "/m/x", {});
    (void)run_to_end(b, spec);
    EXPECT_FALSE(std::filesystem::exists(b.file("outside") + "/x"));
}

TEST_P(OlderKernels, TmpcopyupAndPropagation) {
    Json spec = shell_spec(
        "cat /etc/passwd | wc -l; awk '$5==\"/m\"{for(i=7;$i!=\"-\";i++) print $i}' /proc/self/mountinfo");
    add_mount(spec, "tmpfs", "tmpfs", "/etc", {"tmpcopyup"});
    add_mount(spec, "tmpfs", "tmpfs", "/m", {"unbindable"});
    const Reply reply = run_to_end(spec);
    EXPECT_TRUE(reply.out.starts_with("2\n")) << reply.out << reply.err;
    EXPECT_TRUE(reply.out.find("unbindable") != std::string::npos || Runtime::kind() != "orlop") << reply.out;
}

TEST_P(OlderKernels, RecursiveReadOnlyIsMadeOrRefused) {
    const Bundle b = bundle();
    ASSERT_TRUE(make_dirs(b.file("shared")));
    Json spec = shell_spec("touch /m/x 2>&1; true");
    add_mount(spec, "bind", b.file("shared"), "/m", {"rbind", "rro"});
    const Reply reply = run_to_end(b, spec);
    // Without mount_setattr(2) it may only be refused: half of it would be a promise that is not kept.
    if (reply.code == 0) {
        EXPECT_NE(reply.out.find("Read-only"), std::string::npos) << reply.out;
    } else {
        EXPECT_FALSE(GetParam().has("mount_setattr") && GetParam().has("open_tree")) << reply.err;
        expect_nothing_left(b);
    }
}

TEST_P(OlderKernels, UserNamespaces) {
    Json spec = shell_spec("id -u; tr -s ' ' </proc/self/uid_map; echo x >/dev/null && echo null");
    map_users(spec, 100000);
    EXPECT_EQ(output_of(spec), "0\n 0 100000 65536\nnull");
}

TEST_P(OlderKernels, JoiningNamespaces) {
    const Bundle first = launch(sleeper_spec());
    const std::string ns = "/proc/" + std::to_string(pid(first)) + "/ns/";
    Json spec = shell_spec("readlink /proc/self/ns/net; readlink /proc/self/ns/ipc");
    set_namespace(spec, "network", ns + "net");
    set_namespace(spec, "ipc", ns + "ipc");
    EXPECT_EQ(output_of(spec), std::filesystem::read_symlink(ns + "net").string() + "\n" +
                                   std::filesystem::read_symlink(ns + "ipc").string());
}

TEST_P(OlderKernels, LimitsAndUpdate) {
    Json spec = sleeper_spec();
    spec["linux"]["resources"] = {{"memory", {{"limit", 67108864}}}, {"pids", {{"limit", 20}}}};
    const Bundle b = launch(spec);
    EXPECT_EQ(cgroup_file(b, "memory/memory.limit_in_bytes", "memory.max"), "67108864");
    EXPECT_EQ(oci({"update", "--pids-limit", "12", b.id}).code, 0);
    EXPECT_EQ(cgroup_file(b, "pids/pids.max", "pids.max"), "12");
}

TEST_P(OlderKernels, PauseResumeAndDeleteByForce) {
    const Bundle b = launch(shell_spec("sleep 1000 & sleep 1000 & wait"));
    EXPECT_EQ(oci({"pause", b.id}).code, 0);
    EXPECT_EQ(status(b), "paused");
    EXPECT_EQ(oci({"resume", b.id}).code, 0);
    EXPECT_EQ(oci({"delete", "--force", b.id}).code, 0);
    expect_nothing_left(b);
}

TEST_P(OlderKernels, SeccompAndCapabilities) {
    Json spec = shell_spec("mkdir /x 2>&1; grep CapEff /proc/self/status | cut -f2");
    set_capabilities(spec, {"CAP_KILL"});
    spec["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"},
                                {"syscalls", {{{"names", {"mkdir"}}, {"action", "SCMP_ACT_ERRNO"}}}}};
    const Reply reply = run_to_end(spec);
    EXPECT_NE(reply.out.find("not permitted"), std::string::npos) << reply.out << reply.err;
    EXPECT_NE(reply.out.find("0000000000000020"), std::string::npos) << reply.out;
}

TEST_P(OlderKernels, HooksRun) {
    const Bundle b = bundle();
    Json spec = shell_spec("true");
    spec["hooks"]["createRuntime"] = {
        {{"path", "/bin/sh"}, {"args", {"sh", "-c", "cat >" + b.file("told")}}}};
    EXPECT_EQ(run_to_end(b, spec).code, 0);
    EXPECT_TRUE(file_shows(b.file("told"), b.id));
}

TEST_P(OlderKernels, DescriptorsAreClosed) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe(ends), 0);
    const Reply reply = run_to_end(shell_spec("ls -l /proc/self/fd | grep -c pipe"));
    close(ends[0]);
    close(ends[1]);
    EXPECT_LE(std::atoi(reply.out.c_str()), 3) << reply.out;
}

TEST_P(OlderKernels, FailuresLeaveNothing) {
    const Bundle b = bundle();
    Json spec = command_spec({"no-such-program"});
    EXPECT_NE(run_to_end(b, spec).code, 0);
    expect_nothing_left(b);
}

INSTANTIATE_TEST_SUITE_P(, OlderKernels, ::testing::ValuesIn(kernels()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace orlop::it
