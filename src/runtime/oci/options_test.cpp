#include "runtime/oci/options.h"

#include <gtest/gtest.h>

namespace orlop::oci {
namespace {

TEST(GlobalOptions, AreThoseBeforeTheCommand) {
    const auto o = parse_global(
        {"--root", "/r", "--log=/l", "--log-format", "json", "--systemd-cgroup", "run", "--root", "x", "id"});
    ASSERT_TRUE(o) << o.error().what();
    EXPECT_EQ(o->root, "/r");
    EXPECT_EQ(o->log, "/l");
    EXPECT_EQ(o->log_format, "json");
    EXPECT_TRUE(o->systemd_cgroup);
    EXPECT_EQ(o->words, (Strings{"run", "--root", "x", "id"}));
}

TEST(GlobalOptions, TakeCrunsCgroupManagerAndRuncsRootless) {
    const auto o = parse_global({"--cgroup-manager", "systemd", "--rootless", "auto", "--debug", "list"});
    ASSERT_TRUE(o) << o.error().what();
    EXPECT_TRUE(o->systemd_cgroup);
    EXPECT_TRUE(o->debug);
    EXPECT_EQ(o->words, Strings{"list"});
    EXPECT_FALSE(parse_global({"--cgroup-manager", "disabled", "list"}));
    EXPECT_FALSE(parse_global({"--log-format", "xml", "list"}));
    EXPECT_FALSE(parse_global({"--no-such-flag", "list"}));
}

TEST(RunOptions, TakeFlagsOnBothSidesOfTheId) {
    const auto o = parse_run({"-b", "/bundle", "web", "--pid-file", "/p", "-d", "--preserve-fds", "2"});
    ASSERT_TRUE(o) << o.error().what();
    EXPECT_EQ(o->id, "web");
    EXPECT_EQ(o->bundle, "/bundle");
    EXPECT_EQ(o->pid_file, "/p");
    EXPECT_TRUE(o->detach);
    EXPECT_EQ(o->preserve_fds, 2u);
}

TEST(RunOptions, WantOneIdAndKnownFlags) {
    EXPECT_FALSE(parse_create({}));
    EXPECT_FALSE(parse_create({"a", "b"}));
    EXPECT_FALSE(parse_create({"--detach", "a"}));
    EXPECT_FALSE(parse_run({"--preserve-fds", "-1", "a"}));
    EXPECT_FALSE(parse_run({"--preserve-fds", "x", "a"}));
}

TEST(RunOptions, HelpNeedsNoId) {
    const auto o = parse_create({"--help"});
    ASSERT_TRUE(o);
    EXPECT_NE(o->help.find("--console-socket"), std::string::npos);
}

TEST(ExecOptions, LeaveTheCommandsOwnFlagsAlone) {
    const auto o =
        parse_exec({"-t", "-e", "A=1", "--env", "B=-2", "-u1000:5", "--cwd", "/w", "web", "sh", "-c", "-e"});
    ASSERT_TRUE(o) << o.error().what();
    EXPECT_EQ(o->id, "web");
    EXPECT_EQ(o->command, (Strings{"sh", "-c", "-e"}));
    EXPECT_EQ(o->env, (Strings{"A=1", "B=-2"}));
    EXPECT_EQ(o->user, "1000:5");
    EXPECT_EQ(o->cwd, "/w");
    EXPECT_TRUE(o->terminal);
}

TEST(ExecOptions, TakeConmonsCommandLine) {
    const auto o =
        parse_exec({"--pid-file", "/p", "--console-socket", "/c", "--process", "/f", "--detach", "web"});
    ASSERT_TRUE(o) << o.error().what();
    EXPECT_EQ(o->process_file, "/f");
    EXPECT_TRUE(o->detach);
    EXPECT_TRUE(o->command.empty());
}

TEST(ExecOptions, WantACommandOrAProcess) {
    EXPECT_FALSE(parse_exec({"web"}));
    EXPECT_FALSE(parse_exec({"-u"}));
    EXPECT_FALSE(parse_exec({}));
}

TEST(KillOptions, SendTermIfNothingIsSaid) {
    EXPECT_EQ(parse_kill({"web"})->signal, "TERM");
    EXPECT_EQ(parse_kill({"--all", "web", "9"})->signal, "9");
    EXPECT_TRUE(parse_kill({"web", "KILL", "-a"})->all);
}

TEST(PsOptions, HandThePsOptionsOn) {
    const auto o = parse_ps({"--format", "table", "web", "-o", "pid", "--format", "x"});
    ASSERT_TRUE(o) << o.error().what();
    EXPECT_EQ(o->id, "web");
    EXPECT_EQ(o->ps_arguments, (Strings{"-o", "pid", "--format", "x"}));
    EXPECT_FALSE(o->json);
    EXPECT_FALSE(parse_ps({"-f", "yaml", "web"}));
}

TEST(EventsOptions, ReadGosDurations) {
    EXPECT_EQ(parse_events({"web"})->interval, std::chrono::seconds(5));
    EXPECT_EQ(parse_events({"--interval", "500ms", "web"})->interval, std::chrono::milliseconds(500));
    EXPECT_EQ(parse_events({"--interval=2m", "web"})->interval, std::chrono::minutes(2));
    for (const char* bad : {"0s", "5", "-1s", "s", "5x"}) {
        EXPECT_FALSE(parse_events({"--interval", bad, "web"})) << bad;
    }
}

TEST(UpdateOptions, BecomeResources) {
    const auto o = parse_update({"--memory",
                                 "64m",
                                 "--memory-swap",
                                 "-1",
                                 "--cpu-quota",
                                 "-1",
                                 "--cpu-period=50000",
                                 "--cpu-share",
                                 "512",
                                 "--pids-limit",
                                 "20",
                                 "--cpuset-cpus",
                                 "0-1",
                                 "--cpu-idle",
                                 "1",
                                 "--blkio-weight",
                                 "100",
                                 "--memory-reservation",
                                 "1.5GiB",
                                 "web"});
    ASSERT_TRUE(o) << o.error().what();
    cgroups::Resources expected;
    expected.memory_limit = 64 << 20;
    expected.memory_swap_limit = -1;
    expected.cpu_quota_us = -1;
    expected.cpu_period_us = 50000;
    expected.cpu_shares = 512;
    expected.pids_limit = 20;
    expected.cpuset_cpus = "0-1";
    expected.cpu_idle = 1;
    expected.io_weight = 100;
    expected.memory_reservation = int64_t{3} << 29;
    EXPECT_EQ(o->resources, expected);
}

TEST(UpdateOptions, TakeZeroAsUnchangedWhereRuncDoes) {
    const auto o = parse_update({"--cpu-period", "0", "--cpu-share", "0", "--pids-limit", "0",
                                 "--blkio-weight", "0", "--cpu-quota", "0", "--memory", "0", "web"});
    ASSERT_TRUE(o) << o.error().what();
    EXPECT_EQ(o->resources, cgroups::Resources{});
}

TEST(UpdateOptions, RefuseWhatIsNoNumberAndWhatIsNotThere) {
    EXPECT_FALSE(parse_update({"--memory", "lots", "web"}));
    EXPECT_FALSE(parse_update({"--memory", "5q", "web"}));
    EXPECT_FALSE(parse_update({"--memory", "-5", "web"}));
    EXPECT_FALSE(parse_update({"--pids-limit", "1.5", "web"}));
    EXPECT_FALSE(parse_update({"--blkio-weight", "70000", "web"}));
    EXPECT_EQ(parse_update({"--l3-cache-schema", "L3:0=f", "web"}).error().kind(), Kind::Unimplemented);
}

}  // namespace
}  // namespace orlop::oci
