// process: who, with what rights, limits and scheduling; sysctls and personality.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

class ProcessSetup : public OciTest {
  protected:
    // One field of /proc/self/status of the container's process.
    std::string status_field(Json spec, const std::string& field) {
        spec["process"]["args"] = {"/bin/sh", "-c",
                                   "awk '$1==\"" + field + ":\"{print $2}' /proc/self/status"};
        return output_of(spec);
    }
};

TEST_F(ProcessSetup, UserGroupsAndUmask) {
    Json spec = shell_spec("id -u; id -g; id -G; umask");
    spec["process"]["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {33, 2000}}, {"umask", 0027}};
    EXPECT_EQ(output_of(spec), "1000\n1001\n1001 33 2000\n0027");
}

TEST_F(ProcessSetup, TheDirectoryIsTheSpecsAndIsMade) {
    Json spec = shell_spec("pwd");
    spec["process"]["cwd"] = "/made/for/it";
    EXPECT_EQ(output_of(spec), "/made/for/it");
}

TEST_F(ProcessSetup, TheEnvironmentIsTheSpecsAlone) {
    Json spec = command_spec({"/bin/env"});
    spec["process"]["env"] = {"PATH=/bin", "A=b c", "HOME=/root"};
    EXPECT_EQ(output_of(spec), "PATH=/bin\nA=b c\nHOME=/root");
}

TEST_F(ProcessSetup, HomeIsLookedUpWhenMissing) {
    Json spec = shell_spec("echo $HOME");
    EXPECT_EQ(output_of(spec), "/root");
}

TEST_F(ProcessSetup, TheProgramIsFoundInItsPath) {
    Json spec = command_spec({"tool", "x"});
    spec["process"]["env"] = {"PATH=/nowhere:/opt/tools"};
    const Bundle b = bundle();
    std::filesystem::create_directories(b.rootfs + "/opt/tools");
    write_text(b.rootfs + "/opt/tools/tool", "#!/bin/sh\necho found $1\n", 0755);
    EXPECT_EQ(run_to_end(b, spec).out, "found x\n");
}

TEST_F(ProcessSetup, TheFiveCapabilitySets) {
    Json spec = shell_spec("grep ^Cap /proc/self/status | cut -f2");
    Json& sets = spec["process"]["capabilities"];
    sets["bounding"] = {"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SETUID"};
    sets["permitted"] = {"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"};
    sets["effective"] = {"CAP_CHOWN", "CAP_KILL"};
    sets["inheritable"] = {"CAP_KILL"};
    sets["ambient"] = {"CAP_KILL"};
    spec["process"]["user"] = {{"uid", 1000},
                               {"gid", 1000}};  // root would get all of the bounding set at exec
    // CHOWN is 0, KILL 5, SETUID 7, NET_RAW 13. Without files' capabilities exec leaves the ambient set.
    EXPECT_EQ(output_of(spec),
              "0000000000000020\n0000000000000020\n0000000000000020\n00000000000020a1\n0000000000000020");
    spec["process"]["user"] = {{"uid", 0}, {"gid", 0}};
    sets["inheritable"] = Json::array();
    sets["ambient"] = Json::array();
    sets["permitted"] = sets["effective"] = sets["bounding"];
    EXPECT_EQ(output_of(spec),
              "0000000000000000\n00000000000020a1\n00000000000020a1\n00000000000020a1\n0000000000000000");
}

TEST_F(ProcessSetup, NoCapabilitiesAtAll) {
    Json spec = shell_spec("grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | uniq");
    set_capabilities(spec, {});
    EXPECT_EQ(output_of(spec), "0000000000000000");
}

TEST_F(ProcessSetup, NoNewPrivileges) {
    Json spec = shell_spec("");
    EXPECT_EQ(status_field(spec, "NoNewPrivs"), "1");
    spec["process"]["noNewPrivileges"] = false;
    EXPECT_EQ(status_field(spec, "NoNewPrivs"), "0");
}

TEST_F(ProcessSetup, Rlimits) {
    Json spec = shell_spec(
        "awk '/Max open files/{print $4,$5} /Max core/{print $5,$6} /Max stack/{print $4,$5}' "
        "/proc/self/limits");
    spec["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 123}, {"hard", 456}},
                                  {{"type", "RLIMIT_CORE"}, {"soft", 0}, {"hard", 0}},
                                  {{"type", "RLIMIT_STACK"}, {"soft", 1048576}, {"hard", 2097152}}};
    EXPECT_EQ(output_of(spec), "1048576 2097152\n0 0\n123 456");
}

TEST_F(ProcessSetup, TheSameRlimitTwiceIsRefused) {
    Json spec = shell_spec("true");
    spec["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 12}, {"hard", 12}},
                                  {{"type", "RLIMIT_NOFILE"}, {"soft", 13}, {"hard", 13}}};
    const Bundle b = bundle();
    const Reply reply = run_to_end(b, spec);
    if (reply.code == 0 && Runtime::kind() != "orlop")
        GTEST_SKIP() << "SKIPPED with " << Runtime::kind() << ": it lacks the check";
    EXPECT_NE(reply.code, 0);
    expect_nothing_left(b);
}

TEST_F(ProcessSetup, AnUnknownRlimitOrCapabilityIsTold) {
    Json spec = shell_spec("true");
    spec["process"]["rlimits"] = {{{"type", "RLIMIT_DREAMS"}, {"soft", 12}, {"hard", 12}}};
    const Reply reply = run_to_end(spec);
    EXPECT_NE(reply.code, 0);
    EXPECT_NE(reply.err.find("RLIMIT_DREAMS"), std::string::npos) << reply.err;
}

TEST_F(ProcessSetup, NamespacedSysctlsAreSet) {
    Json spec = shell_spec(
        "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/queues_max");
    spec["linux"]["sysctl"] = {
        {"net.ipv4.ip_forward", "1"}, {"kernel.msgmax", "10001"}, {"fs.mqueue.queues_max", "77"}};
    EXPECT_EQ(output_of(spec), "1\n10001\n77");
}

TEST_F(ProcessSetup, SysctlsOfTheHostAreRefused) {
    for (const char* name : {"kernel.panic", "vm.overcommit_memory", "kernel.core_pattern"}) {
        Json spec = shell_spec("true");
        spec["linux"]["sysctl"] = {{name, "1"}};
        const Bundle b = bundle();
        EXPECT_NE(run_to_end(b, spec).code, 0) << name;
        expect_nothing_left(b);
    }
    Json spec = shell_spec("true");
    drop_namespace(spec, "network");
    spec["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "1"}};
    EXPECT_NE(run_to_end(spec).code, 0) << "in the host's network";
}

TEST_F(ProcessSetup, OomScoreAdj) {
    Json spec = shell_spec("cat /proc/self/oom_score_adj");
    spec["process"]["oomScoreAdj"] = 321;
    EXPECT_EQ(output_of(spec), "321");
    spec["process"]["oomScoreAdj"] = -500;
    const Reply reply = run_to_end(spec);
    if (reply.code != 0)
        GTEST_SKIP() << "SKIPPED in " << place().name
                     << ": lowering oom_score_adj needs CAP_SYS_RESOURCE: " << reply.err;
    EXPECT_EQ(reply.out, "-500\n");
}

TEST_F(ProcessSetup, SchedulerPolicyAndNice) {
    ORLOP_OCI_LACKED_BY("runc", "process.scheduler (1.1)");
    ORLOP_OCI_LACKED_BY("crun", "process.scheduler (1.8)");
    // proc(5): field 19 is nice, 41 the policy: SCHED_BATCH is 3, SCHED_IDLE 5.
    Json spec = shell_spec("awk '{print $41, $19}' /proc/self/stat");
    spec["process"]["scheduler"] = {{"policy", "SCHED_BATCH"}, {"nice", 5}};
    EXPECT_EQ(output_of(spec), "3 5");
    spec["process"]["scheduler"] = {{"policy", "SCHED_IDLE"}};
    EXPECT_EQ(output_of(spec).substr(0, 1), "5");
    spec["process"]["scheduler"] = {{"policy", "SCHED_WISH"}};
    EXPECT_NE(run_to_end(spec).code, 0);
}

TEST_F(ProcessSetup, IoPriority) {
    ORLOP_OCI_LACKED_BY("runc", "process.ioPriority (1.1)");
    ORLOP_OCI_LACKED_BY("crun", "process.ioPriority (1.8)");
    Json spec = shell_spec("ionice -p $$");
    spec["process"]["ioPriority"] = {{"class", "IOPRIO_CLASS_BE"}, {"priority", 6}};
    EXPECT_EQ(output_of(spec), "best-effort: prio 6");
    spec["process"]["ioPriority"] = {{"class", "IOPRIO_CLASS_IDLE"}, {"priority", 0}};
    EXPECT_EQ(output_of(spec).substr(0, 4), "idle");
}

TEST_F(ProcessSetup, ExecCpuAffinity) {
    ORLOP_OCI_LACKED_BY("runc", "execCPUAffinity (1.1)");
    ORLOP_OCI_LACKED_BY("crun", "execCPUAffinity (1.8)");
    Json spec = sleeper_spec();
    spec["process"]["execCPUAffinity"] = {{"initial", "0"}, {"final", "0"}};
    const Bundle b = launch(spec);
    EXPECT_EQ(exec(b, "grep Cpus_allowed_list /proc/self/status | cut -f2").out, "0\n");
}

TEST_F(ProcessSetup, Personality) {
    ORLOP_OCI_LACKED_BY("runc", "personality (1.1)");
    Json spec = shell_spec("uname -m");
    spec["linux"]["personality"] = {{"domain", "LINUX32"}};
    EXPECT_EQ(output_of(spec), "i686");
    spec["linux"]["personality"] = {{"domain", "LINUX"}};
    EXPECT_EQ(output_of(spec), trimmed(run({"/bin/uname", "-m"}).out));
}

TEST_F(ProcessSetup, DescriptorsOfTheCallerAreNotTheContainers) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe(ends), 0);  // without CLOEXEC, as a careless engine
    const Reply reply =
        run_to_end(shell_spec("for f in /proc/self/fd/*; do echo ${f##*/}; done | sort -n | tr '\\n' ' '"));
    close(ends[0]);
    close(ends[1]);
    // 3 is the directory that the shell reads, and may be there or not
    EXPECT_TRUE(reply.out == "0 1 2 3 " || reply.out == "0 1 2 " || reply.out == "0 1 10 2 ") << reply.out;
}

TEST_F(ProcessSetup, PreservedDescriptorsAre) {
    const Bundle b = bundle();
    write_text(b.file("given"), "given by the caller");
    const UniqueFd given(open(b.file("given").c_str(), O_RDONLY | O_CLOEXEC));
    write_config(b, shell_spec("cat <&3; test -e /proc/self/fd/4 && echo extra"));
    const Reply reply = runtime().call_logged({"run", "--bundle", b.dir, "--preserve-fds", "1", b.id},
                                              b.log(), {{given.get(), 3}});
    EXPECT_EQ(reply.err, "given by the caller");
}

TEST_F(ProcessSetup, LabelsOfAnLsmThatTheHostHas) {
    const bool apparmor = access("/sys/kernel/security/apparmor/profiles", F_OK) == 0;
    const bool selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
    if (!apparmor && !selinux) GTEST_SKIP() << "SKIPPED in " << place().name << ": needs AppArmor or SELinux";
    Json spec = shell_spec("cat /proc/self/attr/current");
    if (apparmor) spec["process"]["apparmorProfile"] = "unconfined";
    EXPECT_NE(output_of(spec), "");
    if (!apparmor) return;
    spec["process"]["apparmorProfile"] = "no-such-profile";
    EXPECT_NE(run_to_end(spec).code, 0);
}

TEST_F(ProcessSetup, NetDevicesMoveIntoTheContainer) {
    ORLOP_OCI_LACKED_BY("runc", "netDevices (1.1)");
    ORLOP_OCI_LACKED_BY("crun", "netDevices (1.8)");
    if (place().systemd)
        GTEST_SKIP() << "SKIPPED in " << place().name << ": the suites are in the node's own network";
    const Reply made = run(
        {"/bin/sh", "-c", "ip link add oit0 type veth peer name oit1 && ip addr add 192.0.2.7/24 dev oit0"});
    if (!made.ok()) GTEST_SKIP() << "SKIPPED in " << place().name << ": the kernel has no veth: " << made.err;
    Json spec = shell_spec(
        "ip -o addr show dev eth7 | grep -o 192.0.2.7/24; ip link show eth7 | grep -o UP | head -n1");
    spec["linux"]["netDevices"] = {{"oit0", {{"name", "eth7"}}}};
    const Reply reply = run_to_end(spec);
    (void)run({"/bin/sh", "-c", "ip link del oit1 2>/dev/null || true"});
    EXPECT_EQ(reply.out, "192.0.2.7/24\nUP\n") << reply.err;
}

}  // namespace
}  // namespace orlop::it
