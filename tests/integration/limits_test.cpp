// Limits as the kernel sees them, and what happens at them; and that the leak check sees what a pod holds.
#include <gmock/gmock.h>

#include "harness/mount_table.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;

class LimitsTest : public NodeTest {
  protected:
    pid_t limited(const Json& resources) {
        const Json pod = pod_config(node(), "limited");
        Json container = shell_config("limited", kSleepUntilStopped);
        container["linux"]["resources"] = resources;
        const pid_t pid = crictl().container_pid(crictl().launch(crictl().runp(pod), container, pod));
        EXPECT_GT(pid, 0);
        return pid;
    }
    static std::string value(pid_t pid, const char* controller, const char* v1, const char* v2) {
        const auto read = cgroup_value(pid, controller, v1, v2);
        return read ? *read : read.error().what();
    }
};

TEST_F(LimitsTest, CpuAndMemoryLimitsStandInTheCgroupFiles) {
    const pid_t pid = limited({{"cpu_period", 100000},
                               {"cpu_quota", 25000},
                               {"cpu_shares", 512},
                               {"memory_limit_in_bytes", 64 << 20}});
    EXPECT_EQ(value(pid, "memory", "memory.limit_in_bytes", "memory.max"), std::to_string(64 << 20));
    if (place().unified) {
        EXPECT_EQ(value(pid, "", "", "cpu.max"), "25000 100000");
        const int weight = std::stoi(value(pid, "", "", "cpu.weight"));
        EXPECT_GT(weight, 1);
        EXPECT_LT(weight, 100) << "half of the default shares";
    } else {
        EXPECT_EQ(value(pid, "cpu", "cpu.cfs_quota_us", ""), "25000");
        EXPECT_EQ(value(pid, "cpu", "cpu.cfs_period_us", ""), "100000");
        EXPECT_EQ(value(pid, "cpu", "cpu.shares", ""), "512");
    }
}

TEST_F(LimitsTest, WithoutLimitsTheContainerHasNone) {
    const pid_t pid = limited(Json::object());
    const std::string memory = value(pid, "memory", "memory.limit_in_bytes", "memory.max");
    EXPECT_TRUE(memory == "max" || memory == "9223372036854771712") << memory;
    const std::string cpu = value(pid, "cpu", "cpu.cfs_quota_us", "cpu.max");
    EXPECT_TRUE(cpu == "-1" || cpu == "max 100000") << cpu;
}

TEST_F(LimitsTest, AContainerIsInACgroupOfItsOwnBelowItsParent) {
    const pid_t pid = limited({{"memory_limit_in_bytes", 32 << 20}});
    const auto memory = cgroup_of(pid, place().unified ? "" : "memory");
    ASSERT_TRUE(memory) << memory.error().what();
    EXPECT_THAT(
        *memory,
        HasSubstr("/" + node().cgroup_parent().substr(node().cgroup_parent().starts_with('/') ? 1 : 0) +
                  "/"));
    if (!place().unified) {
        for (const char* controller : {"cpu", "cpuacct", "pids", "devices", "freezer"}) {
            const auto dir = cgroup_of(pid, controller);
            EXPECT_TRUE(dir && dir->find("orlopit") != std::string::npos)
                << controller << ": " << (dir ? *dir : dir.error().what());
        }
    }
}

TEST_F(LimitsTest, ACpuQuotaReallyThrottles) {
    const pid_t pid = limited({{"cpu_period", 100000}, {"cpu_quota", 10000}});
    const Json pods = crictl().json({"ps", "-o", "json"});
    const std::string id = pods["containers"][0].value("id", "");
    crictl().must({"exec", "-s", id, "/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"});
    const std::string stat = value(pid, "cpu", "cpu.stat", "cpu.stat");
    const size_t at = stat.find("nr_throttled ");
    ASSERT_NE(at, std::string::npos) << stat;
    EXPECT_GT(std::stoi(stat.substr(at + 13)), 0) << stat;
}

TEST_F(LimitsTest, AnOutOfMemoryKillIsReportedAsSuch) {
    const Json pod = pod_config(node(), "hungry");
    // dd fills one buffer that is larger than the limit.
    Json hungry = command_config("hungry", {"/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"});
    hungry["linux"]["resources"] = {{"memory_limit_in_bytes", 20 << 20}};
    Json neighbour = shell_config("neighbour", kSleepUntilStopped);
    const std::string pod_id = crictl().runp(pod);
    const std::string other = crictl().launch(pod_id, neighbour, pod);
    const Json status = crictl().wait_exit(crictl().launch(pod_id, hungry, pod));
    EXPECT_EQ(status.value("reason", ""), "OOMKilled");
    EXPECT_EQ(status.value("exitCode", -1), 137);
    EXPECT_EQ(crictl().container_status(other).value("state", ""), "CONTAINER_RUNNING");
}

TEST_F(LimitsTest, DevicesOutsideTheDefaultListAreRefused) {
    const Json pod = pod_config(node(), "devices");
    const std::string id = crictl().launch(
        crictl().runp(pod),
        shell_config("devices", "mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg 2>&1; echo end"), pod);
    crictl().wait_exit(id);
    EXPECT_THAT(crictl().run({"logs", id}).out, HasSubstr("Operation not permitted"));
}

TEST_F(LimitsTest, TheLeakCheckSeesEverythingThatAPodHolds) {
    const LeakCheck check(node().paths());
    launch("held", kSleepUntilStopped);
    const std::string left = check.left();
    for (const char* category : {"mounts", "netns", "cgroups", "processes", "veths", "addresses"})
        EXPECT_THAT(left, HasSubstr(std::string("left behind in ") + category));
    if (!place().reference) {
        EXPECT_THAT(left, HasSubstr("left behind in files"));
    }
}

}  // namespace
}  // namespace orlop::it
