// exec: a further process in a running container.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

class Exec : public OciTest {
  protected:
    Reply exec_process(const Bundle& b, const Json& process) {
        write_text(b.file("process.json"), process.dump());
        return oci({"exec", "--process", b.file("process.json"), b.id});
    }
    static Json process(std::vector<std::string> args) {
        return {{"args", std::move(args)},
                {"cwd", "/"},
                {"user", {{"uid", 0}, {"gid", 0}}},
                {"env", {"PATH=/bin"}}};
    }
};

TEST_F(Exec, RunsInTheContainersNamespacesAndCgroup) {
    Json spec = sleeper_spec();
    set_namespace(spec, "cgroup");
    const Bundle b = launch(spec);
    std::string expected;
    const std::string ns = "/proc/" + std::to_string(pid(b)) + "/ns/";
    for (const char* type : {"pid", "net", "ipc", "uts", "mnt", "cgroup"})
        expected += std::filesystem::read_symlink(ns + type).string() + "\n";
    EXPECT_EQ(exec(b, "cd /proc/self/ns; for t in pid net ipc uts mnt cgroup; do readlink $t; done").out,
              expected);
    EXPECT_EQ(exec(b, "cat /proc/self/cgroup").out, exec(b, "cat /proc/1/cgroup").out);
}

TEST_F(Exec, GivesTheExitCode) {
    const Bundle b = launch(sleeper_spec());
    for (const int code : {0, 1, 42, 255}) EXPECT_EQ(exec(b, "exit " + std::to_string(code)).code, code);
    EXPECT_EQ(exec(b, "kill -KILL $$").code, 137);
}

TEST_F(Exec, TakesEnvironmentDirectoryAndUser) {
    const Bundle b = launch(sleeper_spec());
    const Reply reply = exec(b, "echo $A $B; pwd; id -u; id -g",
                             {"--env", "A=one", "--env", "B=two", "--cwd", "/tmp", "--user", "33:34"});
    EXPECT_EQ(reply.out, "one two\n/tmp\n33\n34\n") << reply.err;
}

TEST_F(Exec, TakesAProcessFile) {
    const Bundle b = launch(sleeper_spec());
    Json p = process({"/bin/sh", "-c",
                      "echo $X; pwd; id -u; id -G; ulimit -n; grep CapBnd /proc/self/status | cut -f2; grep "
                      "NoNew /proc/self/status | cut -f2"});
    p["env"] = {"PATH=/bin", "X=y"};
    p["cwd"] = "/var";
    p["user"] = {{"uid", 33}, {"gid", 33}, {"additionalGids", {77}}};
    p["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 99}, {"hard", 99}}};
    p["capabilities"]["bounding"] = {"CAP_KILL"};
    p["noNewPrivileges"] = true;
    const Reply reply = exec_process(b, p);
    EXPECT_EQ(reply.out, "y\n/var\n33\n33 77\n99\n0000000000000020\n1\n") << reply.err;
}

TEST_F(Exec, HasTheContainersRights) {
    ORLOP_OCI_LACKED_BY("crun", "the bounding set at exec as its 1.8 gives it");
    Json spec = sleeper_spec();
    set_capabilities(spec, {"CAP_KILL"});
    spec["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 55}, {"hard", 55}}};
    const Bundle b = launch(spec);
    const Reply reply = exec(b, "ulimit -n; grep -E '^Cap(Eff|Bnd)|^NoNew' /proc/self/status | cut -f2");
    EXPECT_EQ(reply.out, "55\n0000000000000020\n0000000000000020\n1\n") << reply.err;
}

TEST_F(Exec, AddsCapabilitiesThatAreAsked) {
    ORLOP_OCI_LACKED_BY("crun", "adding: --cap replaces there");
    Json spec = sleeper_spec();
    set_capabilities(spec, {"CAP_KILL", "CAP_SYS_PTRACE"});
    const Bundle b = launch(spec);
    const Reply reply = exec(b, "grep CapEff /proc/self/status | cut -f2", {"--cap", "CAP_NET_RAW"});
    EXPECT_EQ(reply.out, "0000000000082020\n") << reply.err;
}

TEST_F(Exec, DetachedItReturnsAtOnceWithAPidFile) {
    const Bundle b = launch(sleeper_spec());
    const Reply reply = runtime().call_logged({"exec", "--detach", "--pid-file", b.file("exec-pid"), b.id,
                                               "/bin/sh", "-c", "echo from exec; sleep 1000"},
                                              b.log());
    ASSERT_EQ(reply.code, 0) << reply.err;
    EXPECT_TRUE(log_shows(b, "from exec"));
    const std::string process = *read_file(b.file("exec-pid"));
    EXPECT_TRUE(file_shows("/proc/" + process + "/cgroup", b.id)) << process;
    // It is ours to reap now, and its pid namespace does not end before that.
    const pid_t orphan = std::stoi(process);
    ASSERT_EQ(::kill(orphan, SIGKILL), 0);
    EXPECT_EQ(waitpid(orphan, nullptr, 0), orphan);
}

TEST_F(Exec, AMissingProgramIsNotFound) {
    const Bundle b = launch(sleeper_spec());
    const Reply reply = oci({"exec", b.id, "no-such-program"});
    EXPECT_NE(reply.code, 0);
    EXPECT_NE(reply.err.find("no-such-program"), std::string::npos) << reply.err;
    EXPECT_TRUE(reply.err.find("not found") != std::string::npos ||
                reply.err.find("No such file") != std::string::npos)
        << reply.err;
}

TEST_F(Exec, AFileThatIsNoProgramIsDenied) {
    const Bundle b = launch(sleeper_spec());
    const Reply reply = oci({"exec", b.id, "/etc/passwd"});
    EXPECT_NE(reply.code, 0);
    EXPECT_NE(reply.err.find("ermission denied"), std::string::npos) << reply.err;
}

TEST_F(Exec, IsRefusedWhereNothingRuns) {
    const Bundle b = bundle();
    EXPECT_NE(exec(b, "true").code, 0) << "no container";
    const Bundle stopped = launch(shell_spec("true"));
    ASSERT_TRUE(becomes(stopped, "stopped"));
    EXPECT_NE(exec(stopped, "true").code, 0) << "stopped";
}

TEST_F(Exec, PassesItsInputThrough) {
    const Bundle b = launch(sleeper_spec());
    write_text(b.file("in"), "some input");
    const UniqueFd in(open(b.file("in").c_str(), O_RDONLY | O_CLOEXEC));
    const Reply reply = runtime().call_logged({"exec", b.id, "/bin/cat"}, b.file("out"), {{in.get(), 0}});
    EXPECT_EQ(reply.err, "some input");
}

TEST_F(Exec, ManyAtOnce) {
    const Bundle b = launch(sleeper_spec());
    std::vector<Child> children;
    for (int i = 0; i < 10; ++i) {
        auto child = runtime().start({"exec", b.id, "/bin/sh", "-c", "exit " + std::to_string(i)}, b.log());
        ASSERT_TRUE(child);
        children.push_back(std::move(*child));
    }
    for (int i = 0; i < 10; ++i) {
        const auto ended = wait_child(children[static_cast<size_t>(i)], scaled(20));
        ASSERT_TRUE(ended);
        EXPECT_EQ(WEXITSTATUS(*ended), i);
    }
}

}  // namespace
}  // namespace orlop::it
