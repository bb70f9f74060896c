#include "runtime/oci/exec_process.h"

#include <gtest/gtest.h>

namespace orlop::oci {
namespace {

launch::Process base() {
    launch::Process process;
    process.argv = {"init"};
    process.env = {"A=1", "PATH=/bin"};
    process.cwd = "/old";
    process.user.uid = 5;
    process.user.gid = 6;
    process.terminal = true;
    process.capabilities = {.bounding = 1, .permitted = 1, .effective = 1, .inheritable = 4, .ambient = 0};
    return process;
}

ExecOptions command() {
    ExecOptions options;
    options.command = {"sh"};
    return options;
}

TEST(ProcessFor, ChangesOnlyWhatFlagsSay) {
    const auto process = process_for(command(), base(), 0);
    ASSERT_TRUE(process);
    EXPECT_EQ(process->argv, std::vector<std::string>{"sh"});
    EXPECT_EQ(process->cwd, "/old");
    EXPECT_EQ(process->user.uid, 5u);
    EXPECT_EQ(process->env, base().env);
    EXPECT_FALSE(process->terminal);
}

TEST(ProcessFor, ReplacesVariablesOfTheSameName) {
    ExecOptions options = command();
    options.env = {"A=2", "B=x", "A=3"};
    EXPECT_EQ(process_for(options, base(), 0)->env, (std::vector<std::string>{"PATH=/bin", "B=x", "A=3"}));
}

TEST(ProcessFor, KeepsTheGroupUnlessOneIsGiven) {
    ExecOptions options = command();
    options.user = "1000";
    EXPECT_EQ(process_for(options, base(), 0)->user.gid, 6u);
    options.user = "1000:7";
    EXPECT_EQ(process_for(options, base(), 0)->user.gid, 7u);
    options.user = "www";
    const auto named = process_for(options, base(), 0);
    EXPECT_EQ(named->user.user, "www");
    EXPECT_FALSE(named->user.uid);
    options.user = "99999999999";
    EXPECT_FALSE(process_for(options, base(), 0));
}

TEST(ProcessFor, AddsCapabilitiesToAllSetsButTheInheritable) {
    const auto sets = process_for(command(), base(), 6)->capabilities;
    EXPECT_EQ(sets.bounding, 7u);
    EXPECT_EQ(sets.permitted, 7u);
    EXPECT_EQ(sets.effective, 7u);
    EXPECT_EQ(sets.inheritable, 4u);
    EXPECT_EQ(sets.ambient, 4u);
}

TEST(ProcessFor, TakesAProcessFileAsItIs) {
    ExecOptions options;
    options.process_file = "/f";
    options.cwd = "/ignored";
    const auto process = process_for(options, base(), 0);
    EXPECT_EQ(process->argv, std::vector<std::string>{"init"});
    EXPECT_EQ(process->cwd, "/old");
    EXPECT_TRUE(process->terminal);
}

launch::CgroupJoin hybrid() {
    return {.path = "/c/web",
            .v2_dir = "/sys/unified/c/web",
            .v1_dirs = {"/sys/cpu,cpuacct/c/web", "/sys/memory/c/web"}};
}

TEST(CgroupFor, GoesBelowInEveryHierarchyOrInOne) {
    const auto all = cgroup_for({"sub"}, hybrid());
    ASSERT_TRUE(all);
    EXPECT_EQ(all->v2_dir, "/sys/unified/c/web/sub");
    EXPECT_EQ(all->v1_dirs[1], "/sys/memory/c/web/sub");
    const auto one = cgroup_for({"cpuacct:/x"}, hybrid());
    ASSERT_TRUE(one);
    EXPECT_EQ(one->v2_dir, "/sys/unified/c/web");
    EXPECT_EQ(one->v1_dirs, (std::vector<std::string>{"/sys/cpu,cpuacct/c/web/x", "/sys/memory/c/web"}));
}

TEST(CgroupFor, NeverLeavesTheContainers) {
    EXPECT_FALSE(cgroup_for({"../other"}, hybrid()));
    EXPECT_FALSE(cgroup_for({"memory:a/../../b"}, hybrid()));
    EXPECT_FALSE(cgroup_for({"pids:x"}, hybrid()));
}

}  // namespace
}  // namespace orlop::oci
