#include <sys/resource.h>

#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;
using Words = std::vector<std::string>;

TEST(Args, CombineTheContainersAndTheImagesAsTheKubeletMeansThem) {
    const struct {
        const char* name;
        Words command, args, entrypoint, cmd, expected;
    } rows[] = {
        {"all from the image", {}, {}, {"/e"}, {"c"}, {"/e", "c"}},
        {"arguments replace the image's", {}, {"a"}, {"/e"}, {"c"}, {"/e", "a"}},
        {"a command replaces both", {"/x"}, {}, {"/e"}, {"c"}, {"/x"}},
        {"command and arguments", {"/x"}, {"a"}, {"/e"}, {"c"}, {"/x", "a"}},
        {"only the image's arguments", {}, {}, {}, {"/c", "d"}, {"/c", "d"}},
        {"only arguments", {}, {"/a"}, {}, {}, {"/a"}},
        {"an entrypoint taken back", {}, {}, {""}, {"/c"}, {"/c"}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        t.config.mutable_command()->Assign(row.command.begin(), row.command.end());
        t.config.mutable_args()->Assign(row.args.begin(), row.args.end());
        t.image.config.entrypoint = row.entrypoint;
        t.image.config.cmd = row.cmd;
        EXPECT_EQ(t.good_plan().process.argv, row.expected);
    }
}

TEST(Args, AreRefusedWhenThereIsNothingToRun) {
    TestRequest t;
    t.config.clear_command();
    expect_error(t.plan(), Kind::Invalid, "command");
    t.config.add_command("");
    expect_error(t.plan(), Kind::Invalid, "command[0]");
    t.config.set_command(0, "/bin/sh");
    t.config.add_args(std::string("a\0b", 3));
    expect_error(t.plan(), Kind::Invalid, "command and args[1]: a NUL");
}

TEST(Args, MayHoldScriptsOfSeveralLines) {
    TestRequest t;
    t.config.add_args("echo one\necho two\n");
    EXPECT_EQ(t.good_plan().process.argv.back(), "echo one\necho two\n");
}

TEST(Env, PutsTheContainersVariablesOverTheImages) {
    TestRequest t;
    t.image.config.env = {"PATH=/image", "A=1", "B=2"};
    const std::pair<const char*, const char*> variables[] = {{"B", "3"}, {"C", "x=y"}, {"C", "last"}};
    for (const auto& [key, value] : variables) {
        auto& variable = *t.config.add_envs();
        variable.set_key(key);
        variable.set_value(value);
    }
    EXPECT_THAT(t.good_plan().process.env,
                ElementsAre("PATH=/image", "HOSTNAME=pod-1", "A=1", "B=3", "C=last"));
}

TEST(Env, HasDefaults) {
    TestRequest t;
    t.config.set_tty(true);
    t.sandbox.clear_hostname();
    const auto process = t.good_plan().process;
    EXPECT_THAT(process.env, ElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                         "TERM=xterm", "HOSTNAME=node-1"));
    EXPECT_TRUE(process.terminal);
}

TEST(Env, LeavesHomeToTheExecutor) {
    EXPECT_THAT(TestRequest().good_plan().process.env, Not(Contains(StartsWith("HOME="))));
}

TEST(Env, LetsImagesUnsetAVariable) {
    TestRequest t;
    t.image.config.env = {"HOSTNAME"};
    EXPECT_THAT(t.good_plan().process.env, Not(Contains(StartsWith("HOSTNAME="))));
}

TEST(Env, KeepsBytesThatAreNoText) {
    TestRequest t;
    auto& variable = *t.config.add_envs();
    variable.set_key("BLOB");
    variable.set_value("\xff\n\x80");
    EXPECT_EQ(t.good_plan().process.env.back(), "BLOB=\xff\n\x80");
}

TEST(Env, RefusesWhatWouldBreakOutOfAVariable) {
    const struct {
        const char* name;
        std::string key, value;
        const char* words;
    } rows[] = {
        {"no name", "", "v", "envs[0]: a variable without a name"},
        {"an equals sign in the name", "A=B", "v", "envs[0]: \"=\""},
        {"a newline in the name", "A\nB", "v", "envs[0]: a control character"},
        {"NUL in the value", "A", std::string("a\0b", 3), "envs[0] (A): a NUL"},
        {"a line for passwd in HOME", "HOME", "/root\nevil:x:0:0", "envs[0] (HOME): a control character"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        auto& variable = *t.config.add_envs();
        variable.set_key(row.key);
        variable.set_value(row.value);
        expect_error(t.plan(), Kind::Invalid, row.words);
    }
    TestRequest t;
    t.image.config.env = {"HOME=/a\nb"};
    expect_error(t.plan(), Kind::Invalid, "the image's env (HOME)");
}

TEST(Cwd, IsTheContainersThenTheImagesThenTheRoot) {
    TestRequest t;
    EXPECT_EQ(t.good_plan().process.cwd, "/");
    t.image.config.working_dir = "/image/";
    EXPECT_EQ(t.good_plan().process.cwd, "/image");
    t.config.set_working_dir("/own");
    EXPECT_EQ(t.good_plan().process.cwd, "/own");
    t.config.set_working_dir("relative");
    expect_error(t.plan(), Kind::Invalid, "working_dir");
    t.config.set_working_dir("/a\nb");
    expect_error(t.plan(), Kind::Invalid, "working_dir: a control character");
}

TEST(OomScore, IsTheRequestedOneUnlessItCannotBeLowered) {
    const struct {
        const char* name;
        int64_t wanted;
        bool can_lower;
        int32_t own, expected;
    } rows[] = {
        {"as asked", 500, true, 0, 500},
        {"lowered", -997, true, 0, -997},
        {"cut to the range", 5000, true, 0, 1000},
        {"reset to 0 although we are low", 0, true, -999, 0},
        {"cannot be lowered", -997, false, 0, 0},
        {"cannot be lowered below our own", 100, false, 300, 300},
        {"raising always works", 900, false, 300, 900},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        t.resources().set_oom_score_adj(row.wanted);
        t.facts.can_lower_oom_score = row.can_lower;
        t.facts.oom_score_adj = row.own;
        EXPECT_EQ(t.good_plan().process.oom_score_adj, row.expected);
    }
}

TEST(Rlimits, GiveTheHardLimitAndAModestSoftOne) {
    TestRequest t;
    t.facts.nofile_hard = 20000;
    auto limits = t.good_plan().process.rlimits;
    ASSERT_EQ(limits.size(), 1u);
    EXPECT_EQ(limits[0].resource, static_cast<uint32_t>(RLIMIT_NOFILE));
    EXPECT_EQ(limits[0].soft, 1024u);
    EXPECT_EQ(limits[0].hard, 20000u);
    t.facts.nofile_hard = 512;
    EXPECT_EQ(t.good_plan().process.rlimits[0].soft, 512u);
}

TEST(Exec, IsTheContainersProcessWithAnotherCommand) {
    TestRequest t;
    t.security().mutable_run_as_user()->set_value(7);
    launch::LaunchPlan container = t.good_plan();
    container.cgroup.path = "/kubepods/c1";
    const launch::ExecPlan exec = plan_exec(container, {"ls", "-l"}, false);
    EXPECT_THAT(exec.process.argv, ElementsAre("ls", "-l"));
    EXPECT_EQ(exec.process.env, container.process.env);
    EXPECT_EQ(exec.process.user.uid, 7u);
    EXPECT_EQ(exec.process.capabilities.bounding, container.process.capabilities.bounding);
    EXPECT_EQ(exec.cgroup.path, "/kubepods/c1");
    EXPECT_FALSE(exec.process.terminal);
}

TEST(Exec, GivesATerminalItsTypeUnlessThereIsOne) {
    TestRequest t;
    launch::LaunchPlan container = t.good_plan();
    EXPECT_THAT(plan_exec(container, {"sh"}, true).process.env, Contains("TERM=xterm"));
    container.process.env = {"TERM=vt100"};
    EXPECT_THAT(plan_exec(container, {"sh"}, true).process.env, ElementsAre("TERM=vt100"));
}

}  // namespace
}  // namespace orlop::plan
