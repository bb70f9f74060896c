// Debian's podman with the OCI runtime as --runtime: images, storage and state of the test's own.
#include <unistd.h>

#include <filesystem>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

class Podman : public OciTest {
  protected:
    static void SetUpTestSuite() { imported_ = false; }
    static void TearDownTestSuite() {
        if (imported_)
            (void)run({"/bin/sh", "-c", "umount " + base() + "/storage/overlay 2>/dev/null; true"});
    }

    void SetUp() override {
        OciTest::SetUp();
        if (HasFatalFailure() || IsSkipped()) return;
        if (access("/usr/bin/podman", X_OK) != 0)
            GTEST_SKIP() << "SKIPPED in " << place().name << ": needs podman (scripts/install-deps --test)";
        if (!imported_) import();
    }
    void TearDown() override {
        if (imported_) (void)podman({"pod", "rm", "--all", "--force", "--time", "0"});
        if (imported_) (void)podman({"rm", "--all", "--force", "--time", "0"});
        // What a container leaves to podman's cleanup process goes a moment later.
        std::error_code error;
        const auto idle = [&] {
            return !std::filesystem::exists(base() + "/oci") ||
                   run({"/bin/sh", "-c", "ls " + base() + "/oci"}).out.empty();
        };
        EXPECT_TRUE(!imported_ || eventually(scaled(5), idle))
            << "state left: " << run({"/bin/ls", base() + "/oci"}).out;
        OciTest::TearDown();
    }

    Reply podman(const std::vector<std::string>& args) {
        const bool systemd = runtime().driver() == Driver::Systemd;
        std::vector<std::string> argv{"/usr/bin/podman",
                                      "--runtime",
                                      wrapper(),
                                      "--root",
                                      base() + "/storage",
                                      "--runroot",
                                      base() + "/run",
                                      "--tmpdir",
                                      base() + "/tmp",
                                      "--storage-driver",
                                      "overlay",
                                      "--cgroup-manager",
                                      systemd ? "systemd" : "cgroupfs",
                                      "--events-backend",
                                      "none"};
        argv.insert(argv.end(), args.begin(), args.end());
        return run(argv, {"CONTAINERS_CONF=" + base() + "/containers.conf"});
    }
    // podman run of the image, on no network.
    Reply podman_run(std::vector<std::string> flags, const std::vector<std::string>& command) {
        std::vector<std::string> args{"run", "--pull", "never"};
        if (std::find(flags.begin(), flags.end(), "--network") == flags.end() &&
            std::find(flags.begin(), flags.end(), "--pod") == flags.end())
            args.insert(args.end(), {"--network", "none"});
        args.insert(args.end(), flags.begin(), flags.end());
        args.push_back("localhost/orlopit:1");
        args.insert(args.end(), command.begin(), command.end());
        return podman(args);
    }
    Reply once(std::vector<std::string> flags, const std::string& script) {
        flags.push_back("--rm");
        return podman_run(flags, {"/bin/sh", "-c", script});
    }
    static constexpr const char* kSleeper = "echo up; trap 'exit 0' TERM; while :; do sleep 0.05; done";

  private:
    static std::string base() { return run_dir() + "/podman"; }
    // Podman's own cleanup processes forget --runtime-flag; the root has to be the test's all the same. The
    // name decides whether podman reads the runtime's log as JSON.
    static std::string wrapper() {
        return base() + "/" + std::filesystem::path(place().oci).filename().string();
    }
    void import() {
        ASSERT_TRUE(make_dirs(base()));
        write_text(wrapper(), "#!/bin/sh\nexec " + place().oci + " --root " + base() + "/oci \"$@\"\n", 0755);
        // Descriptors and processes: podman's defaults are beyond what a machine without CAP_SYS_RESOURCE may
        // give.
        write_text(base() + "/containers.conf",
                   "[containers]\nlog_driver=\"k8s-file\"\ndefault_sysctls=[]\n"
                   "default_ulimits=[\"nofile=1024:1024\",\"nproc=1000:1000\"]\n"
                   "[engine]\nruntime_supports_json=[\"orlop-oci\",\"crun\",\"runc\"]\n");
        const Bundle pattern = bundle();
        const Reply packed = run({"/bin/tar", "-C", pattern.rootfs, "-cf", base() + "/image.tar", "."});
        ASSERT_TRUE(packed.ok()) << packed.err;
        const Reply reply = podman({"import", base() + "/image.tar", "localhost/orlopit:1"});
        ASSERT_TRUE(reply.ok()) << reply.err;
        imported_ = true;
    }
    inline static bool imported_ = false;
};

TEST_F(Podman, RunGivesOutputAndExitCode) {
    const Reply reply = once({}, "echo hello; echo oops >&2; exit 7");
    EXPECT_EQ(reply.code, 7);
    EXPECT_EQ(reply.out, "hello\n");
    EXPECT_EQ(reply.err, "oops\n");
    EXPECT_EQ(once({}, "kill -TERM $$; kill -9 -1; sleep 1").code, 0);
}

TEST_F(Podman, ExitCodesOfWhatCannotRunAreThoseOfShells) {
    const Reply missing = podman_run({"--rm"}, {"no-such-program"});
    EXPECT_EQ(missing.code, 127) << missing.err;
    EXPECT_NE(missing.err.find("no-such-program"), std::string::npos) << missing.err;
    EXPECT_EQ(podman_run({"--rm"}, {"/etc/passwd"}).code, 126);
    EXPECT_EQ(podman_run({"--rm"}, {"/no/such/program"}).code, 127);
}

TEST_F(Podman, ExecRunsInTheContainer) {
    ASSERT_EQ(podman_run({"-d", "--name", "one"}, {"/bin/sh", "-c", kSleeper}).code, 0);
    const Reply reply = podman(
        {"exec", "-e", "A=b", "-w", "/tmp", "-u", "33", "one", "sh", "-c", "echo $A; pwd; id -u; exit 9"});
    EXPECT_EQ(reply.code, 9) << reply.err;
    EXPECT_EQ(reply.out, "b\n/tmp\n33\n");
    EXPECT_EQ(podman({"exec", "one", "no-such-program"}).code, 127);
    EXPECT_EQ(podman({"exec", "one", "/etc/passwd"}).code, 126);
    EXPECT_EQ(podman({"exec", "-t", "one", "tty"}).out, "/dev/pts/0\r\n");
}

TEST_F(Podman, LogsStopAndRemove) {
    ASSERT_EQ(podman_run({"-d", "--name", "one"}, {"/bin/sh", "-c", kSleeper}).code, 0);
    EXPECT_TRUE(eventually(scaled(10), [&] { return podman({"logs", "one"}).out == "up\n"; }));
    EXPECT_EQ(podman({"stop", "--time", "10", "one"}).code, 0);
    EXPECT_EQ(trimmed(podman({"inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "one"}).out),
              "exited 0");
    EXPECT_EQ(podman({"start", "one"}).code, 0) << "a stopped one starts again";
    EXPECT_EQ(podman({"kill", "one"}).code, 0);
    EXPECT_EQ(trimmed(podman({"wait", "one"}).out), "137");
    EXPECT_EQ(podman({"rm", "one"}).code, 0);
}

TEST_F(Podman, PauseAndTopAndStats) {
    ASSERT_EQ(podman_run({"-d", "--name", "one"}, {"/bin/sh", "-c", kSleeper}).code, 0);
    EXPECT_EQ(podman({"pause", "one"}).code, 0);
    EXPECT_EQ(trimmed(podman({"inspect", "--format", "{{.State.Status}}", "one"}).out), "paused");
    EXPECT_EQ(podman({"unpause", "one"}).code, 0);
    EXPECT_NE(podman({"top", "one", "pid", "comm"}).out.find("sh"), std::string::npos);
}

TEST_F(Podman, UserNamespaces) {
    const Reply reply = once({"--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"},
                             "tr -s ' ' </proc/self/uid_map; touch /made && stat -c %u /made");
    EXPECT_EQ(reply.out, " 0 100000 65536\n0\n") << reply.err;
    // "auto" takes the ids of the user "containers" in /etc/subuid
    const auto subuid = read_file("/etc/subuid");
    if (!subuid || subuid->find("containers:") == std::string::npos) return;
    EXPECT_EQ(once({"--userns", "auto"}, "id -u").out, "0\n");
}

TEST_F(Podman, ReadOnlyAndCapabilities) {
    const Reply reply =
        once({"--read-only", "--cap-drop", "all"},
             "touch /x 2>&1; touch /tmp/x && echo tmp; grep CapEff /proc/self/status | cut -f2");
    EXPECT_EQ(reply.out, "touch: /x: Read-only file system\ntmp\n0000000000000000\n") << reply.err;
    EXPECT_EQ(
        once({"--cap-drop", "all", "--cap-add", "net_raw"}, "grep CapEff /proc/self/status | cut -f2").out,
        "0000000000002000\n");
    EXPECT_EQ(once({"--privileged"}, "grep -c . /proc/self/mountinfo >/dev/null && echo fine").out, "fine\n");
}

TEST_F(Podman, LimitsAreInTheCgroup) {
    const Reply reply = once({"--memory", "64m", "--pids-limit", "30", "--cpus", "0.5"},
                             "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max "
                             "/sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max 2>/dev/null; true");
    EXPECT_EQ(reply.out, "67108864\n30\n") << reply.err;
    const Reply killed = once({"--memory", "16m", "--memory-swap", "16m"},
                              "dd if=/dev/zero of=/dev/shm/x bs=1M count=40; exit $?");
    EXPECT_EQ(killed.code, 137) << killed.err;
}

TEST_F(Podman, ATerminal) {
    const Reply reply = once({"-t"}, "tty; test -c /dev/console && echo console");
    EXPECT_EQ(reply.out, "/dev/pts/0\r\nconsole\r\n") << reply.err;
}

TEST_F(Podman, HostAndContainerNetworks) {
    EXPECT_EQ(trimmed(once({"--network", "host"}, "readlink /proc/self/ns/net").out),
              std::filesystem::read_symlink("/proc/self/ns/net").string());
    ASSERT_EQ(podman_run({"-d", "--name", "one"}, {"/bin/sh", "-c", kSleeper}).code, 0);
    const std::string own = podman({"exec", "one", "readlink", "/proc/self/ns/net"}).out;
    EXPECT_EQ(once({"--network", "container:one"}, "readlink /proc/self/ns/net").out, own);
}

TEST_F(Podman, APodSharesItsNamespaces) {
    const Reply made = podman({"pod", "create", "--network", "none", "--infra-image", "localhost/orlopit:1",
                               "--infra-command", "/bin/sleep 1000", "pod1"});
    ASSERT_EQ(made.code, 0) << made.err;
    const Reply started = podman_run({"-d", "--pod", "pod1", "--name", "one"}, {"/bin/sh", "-c", kSleeper});
    ASSERT_EQ(started.code, 0) << started.err;
    ASSERT_EQ(podman_run({"-d", "--pod", "pod1", "--name", "two"}, {"/bin/sh", "-c", kSleeper}).code, 0);
    for (const char* type : {"net", "ipc", "uts"}) {
        const std::string link = std::string("/proc/self/ns/") + type;
        EXPECT_EQ(podman({"exec", "one", "readlink", link}).out,
                  podman({"exec", "two", "readlink", link}).out)
            << type;
    }
    EXPECT_EQ(podman({"exec", "one", "hostname"}).out, "pod1\n");
    EXPECT_EQ(podman({"pod", "stop", "--time", "10", "pod1"}).code, 0);
    EXPECT_EQ(podman({"pod", "rm", "pod1"}).code, 0);
}

TEST_F(Podman, VolumesTmpfsAndSysctls) {
    const Bundle b = bundle();
    write_text(b.file("data"), "shared");
    const Reply reply = once({"-v", b.file("data") + ":/data:ro", "--tmpfs", "/scratch:size=1m", "--sysctl",
                              "net.ipv4.ip_forward=1", "--hostname", "named"},
                             "cat /data; stat -f -c ' %T' /scratch; cat /proc/sys/net/ipv4/ip_forward; "
                             "hostname; echo x 2>/dev/null >/data || echo ro");
    EXPECT_EQ(reply.out, "shared tmpfs\n1\nnamed\nro\n") << reply.err;
}

}  // namespace
}  // namespace orlop::it
