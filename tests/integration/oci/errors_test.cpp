// What is refused, in which words, and that nothing of it stays.
#include <sstream>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

class Refusals : public OciTest {
  protected:
    static bool says(const Reply& reply, std::initializer_list<const char*> any) {
        for (const char* text : any) {
            if ((reply.err + reply.out).find(text) != std::string::npos) return true;
        }
        return false;
    }
};

TEST_F(Refusals, ABundleThatIsNotThere) {
    const Reply reply = oci({"create", "--bundle", "/no/such/bundle", run_mark() + "-none"});
    EXPECT_NE(reply.code, 0);
    EXPECT_TRUE(says(reply, {"no such file", "No such file"})) << reply.err;
}

TEST_F(Refusals, ABundleWithoutAConfig) {
    const Bundle b = bundle();
    const Reply reply = oci({"create", "--bundle", b.dir, b.id});
    EXPECT_NE(reply.code, 0);
    EXPECT_TRUE(says(reply, {"config.json"})) << reply.err;
    expect_nothing_left(b);
}

TEST_F(Refusals, BrokenJson) {
    for (const char* text : {"", "{", "[]", "{\"ociVersion\": 3}", "nonsense", "{\"process\": \"x\"}"}) {
        const Bundle b = bundle();
        write_text(b.file("config.json"), text);
        EXPECT_NE(oci({"run", "--bundle", b.dir, b.id}).code, 0) << text;
        expect_nothing_left(b);
    }
}

TEST_F(Refusals, ARootThatIsNotThere) {
    const Bundle b = bundle();
    Json spec = shell_spec("true");
    spec["root"]["path"] = "missing-root";
    const Reply reply = run_to_end(b, spec);
    EXPECT_NE(reply.code, 0);
    EXPECT_TRUE(says(reply, {"missing-root"})) << reply.err;
    expect_nothing_left(b);
}

TEST_F(Refusals, AnEmptyCommand) {
    const Bundle b = bundle();
    EXPECT_NE(run_to_end(b, command_spec({})).code, 0);
    expect_nothing_left(b);
}

class MissingPrograms : public Refusals, public ::testing::WithParamInterface<bool> {};

TEST_P(MissingPrograms, AProgramThatIsNotThere) {
    for (const char* program : {"no-such-program", "/no/such/program"}) {
        const Bundle b = bundle();
        const Json spec = command_spec({program});
        Reply reply = GetParam() ? create(b, spec) : run_to_end(b, spec);
        if (GetParam() && reply.code == 0) {  // an absolute path may be looked at only by start
            (void)oci({"start", b.id});
            GTEST_SKIP() << "SKIPPED with " << Runtime::kind() << ": it finds out at start";
        }
        EXPECT_NE(reply.code, 0) << program;
        EXPECT_TRUE(says(reply, {program})) << reply.err;
        EXPECT_TRUE(says(reply, {"not found", "o such file"})) << reply.err;
        expect_nothing_left(b);
    }
}

TEST_P(MissingPrograms, AFileThatCannotBeRun) {
    const Bundle b = bundle();
    const Json spec = command_spec({"/etc/passwd"});
    const Reply reply = GetParam() ? create(b, spec) : run_to_end(b, spec);
    if (GetParam() && reply.code == 0)
        GTEST_SKIP() << "SKIPPED with " << Runtime::kind() << ": it finds out at start";
    EXPECT_NE(reply.code, 0);
    EXPECT_TRUE(says(reply, {"ermission denied"})) << reply.err;
    expect_nothing_left(b);
}

INSTANTIATE_TEST_SUITE_P(, MissingPrograms, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "AtCreate" : "AtRun"; });

TEST_F(Refusals, TheSameIdTwice) {
    const Bundle b = launch(sleeper_spec());
    const Reply reply = oci({"create", "--bundle", b.dir, b.id});
    EXPECT_NE(reply.code, 0);
    EXPECT_TRUE(says(reply, {"exist"})) << reply.err;
    EXPECT_EQ(status(b), "running") << "the first one goes on";
}

TEST_F(Refusals, IdsThatAreNone) {
    const Bundle b = bundle();
    write_config(b, shell_spec("true"));
    for (const char* id : {"", ".", "..", "a/b", "../x", "a b"}) {
        if (id == std::string("a b") && Runtime::kind() == "crun") continue;  // takes it
        EXPECT_NE(oci({"create", "--bundle", b.dir, "--", id}).code, 0) << id;
    }
}

TEST_F(Refusals, StartTwice) {
    const Bundle b = launch(sleeper_spec());
    EXPECT_NE(oci({"start", b.id}).code, 0);
    EXPECT_EQ(status(b), "running");
}

TEST_F(Refusals, DeleteOfWhatRuns) {
    const Bundle b = launch(sleeper_spec());
    const Reply reply = oci({"delete", b.id});
    EXPECT_NE(reply.code, 0);
    EXPECT_TRUE(says(reply, {"not stopped", "running", "stopped` state"})) << reply.err;
    EXPECT_EQ(status(b), "running");
}

TEST_F(Refusals, EverythingOfWhatIsNotThere) {
    const std::string id = run_mark() + "-none";
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"start", id},
                                               {"state", id},
                                               {"kill", id, "KILL"},
                                               {"delete", id},
                                               {"exec", id, "true"},
                                               {"pause", id},
                                               {"resume", id},
                                               {"ps", id},
                                               {"update", "--pids-limit", "3", id}}) {
        const Reply reply = oci(command);
        EXPECT_NE(reply.code, 0) << command.front();
        EXPECT_TRUE(says(reply, {"does not exist", "o such file"})) << command.front() << ": " << reply.err;
    }
}

TEST_F(Refusals, KillOfWhatHasEnded) {
    const Bundle b = launch(shell_spec("true"));
    ASSERT_TRUE(becomes(b, "stopped"));
    const Reply reply = oci({"kill", b.id, "TERM"});
    EXPECT_NE(reply.code, 0);
    EXPECT_TRUE(says(reply, {"not running", "already finished", "already completed", "o such process"}))
        << reply.err;
}

TEST_F(Refusals, FlagsAndCommandsThatAreNone) {
    EXPECT_NE(oci({"create", "--no-such-flag", "x"}).code, 0);
    EXPECT_NE(oci({"no-such-command"}).code, 0);
    EXPECT_NE(oci({"state"}).code, 0);
}

TEST_F(Refusals, TheLogFileGetsTheError) {
    const Bundle b = bundle();
    const Json spec = command_spec({"no-such-program"});
    write_config(b, spec);
    const Reply reply =
        oci({"--log", b.file("oci.log"), "--log-format", "json", "run", "--bundle", b.dir, b.id});
    EXPECT_NE(reply.code, 0);
    const auto log = read_file(b.file("oci.log"));
    ASSERT_TRUE(log);
    // podman and containerd take the last line of level "error".
    bool found = false;
    std::istringstream lines(*log);
    std::string line;
    while (std::getline(lines, line)) {
        const Json entry = Json::parse(line, nullptr, false);
        ASSERT_TRUE(entry.is_object()) << line;
        if (entry.value("level", "") == "error")
            found = entry.value("msg", "").find("no-such-program") != std::string::npos;
    }
    EXPECT_TRUE(found) << *log;
}

}  // namespace
}  // namespace orlop::it
