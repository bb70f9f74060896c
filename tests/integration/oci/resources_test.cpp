// linux.resources: read in the cgroup's files from outside, on v1 and v2, with every driver of the place.
#include <fstream>

#include "harness/mount_table.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

constexpr long kMiB = 1 << 20;

class ResourceLimits : public OciDriverTest {
  protected:
    Bundle with(const Json& resources) {
        Json spec = sleeper_spec();
        spec["linux"]["resources"] = resources;
        return launch(spec);
    }
    bool has_file(const std::string& v1, const std::string& v2) {
        if (place().unified) return run({"/bin/sh", "-c", "test -e /sys/fs/cgroup/system.slice/" + v2}).ok();
        return run({"/bin/sh", "-c", "test -e /sys/fs/cgroup/" + v1}).ok();
    }
    Reply update(const Bundle& b, const Json& resources) {
        write_text(b.file("update.json"), resources.dump());
        return oci({"update", "--resources", b.file("update.json"), b.id});
    }
};

#define NEEDS_FILE(v1, v2)                                                          \
    do {                                                                            \
        if (!has_file(v1, v2))                                                      \
            GTEST_SKIP() << "SKIPPED in " << place().name << ": the kernel has no " \
                         << (place().unified ? v2 : v1);                            \
    } while (false)

TEST_P(ResourceLimits, MemoryLimitReservationAndSwap) {
    const Bundle b =
        with({{"memory", {{"limit", 64 * kMiB}, {"reservation", 32 * kMiB}, {"swap", 96 * kMiB}}}});
    EXPECT_EQ(cgroup_file(b, "memory/memory.limit_in_bytes", "memory.max"), std::to_string(64 * kMiB));
    EXPECT_EQ(cgroup_file(b, "memory/memory.soft_limit_in_bytes", "memory.low"), std::to_string(32 * kMiB));
    NEEDS_FILE("memory/memory.memsw.limit_in_bytes", "memory.swap.max");
    EXPECT_EQ(cgroup_file(b, "memory/memory.memsw.limit_in_bytes", "memory.swap.max"),
              std::to_string((place().unified ? 32 : 96) * kMiB));
}

TEST_P(ResourceLimits, MemoryBeyondTheLimitIsKilled) {
    Json spec = shell_spec("dd if=/dev/zero of=/dev/shm/fill bs=1M count=60; echo survived");
    spec["linux"]["resources"]["memory"] = {{"limit", 16 * kMiB}, {"swap", 16 * kMiB}};
    const Reply reply = run_to_end(spec);
    EXPECT_TRUE(reply.code == 137 || reply.err.find("Killed") != std::string::npos)
        << reply.code << reply.err;
}

TEST_P(ResourceLimits, SwappinessOnV1) {
    if (place().unified) GTEST_SKIP() << "SKIPPED in " << place().name << ": cgroup v2 has no swappiness";
    const Bundle b = with({{"memory", {{"swappiness", 7}}}});
    EXPECT_EQ(cgroup_file(b, "memory/memory.swappiness", ""), "7");
}

TEST_P(ResourceLimits, CpuSharesQuotaAndPeriod) {
    const Bundle b = with({{"cpu", {{"shares", 512}, {"quota", 25000}, {"period", 50000}}}});
    if (place().unified) {
        EXPECT_EQ(cgroup_file(b, "cpu/", "cpu.max"), "25000 50000");
        const int weight = std::atoi(cgroup_file(b, "cpu/", "cpu.weight").c_str());
        EXPECT_TRUE(weight == 20 || weight == 59) << weight;  // the linear and the newer conversion
    } else {
        EXPECT_EQ(cgroup_file(b, "cpu/cpu.cfs_quota_us", ""), "25000");
        EXPECT_EQ(cgroup_file(b, "cpu/cpu.cfs_period_us", ""), "50000");
        EXPECT_EQ(cgroup_file(b, "cpu/cpu.shares", ""), "512");
    }
}

TEST_P(ResourceLimits, CpuBurst) {
    ORLOP_OCI_LACKED_BY("runc", "cpu.burst (1.1)");
    ORLOP_OCI_LACKED_BY("crun", "cpu.burst (1.8)");
    NEEDS_FILE("cpu/cpu.cfs_burst_us", "cpu.max.burst");
    const Bundle b = with({{"cpu", {{"quota", 50000}, {"period", 100000}, {"burst", 20000}}}});
    EXPECT_EQ(cgroup_file(b, "cpu/cpu.cfs_burst_us", "cpu.max.burst"), "20000");
}

TEST_P(ResourceLimits, CpuIdle) {
    ORLOP_OCI_LACKED_BY("runc", "cpu.idle (1.1)");
    NEEDS_FILE("cpu/cpu.idle", "cpu.idle");
    if (Runtime::kind() == "crun" && !place().unified) GTEST_SKIP() << "SKIPPED with crun: no cpu.idle on v1";
    const Bundle b = with({{"cpu", {{"idle", 1}}}});
    EXPECT_EQ(cgroup_file(b, "cpu/cpu.idle", "cpu.idle"), "1");
}

TEST_P(ResourceLimits, Cpuset) {
    const Bundle b = with({{"cpu", {{"cpus", "0"}, {"mems", "0"}}}});
    EXPECT_EQ(cgroup_file(b, "cpuset/cpuset.cpus", "cpuset.cpus"), "0");
    EXPECT_EQ(cgroup_file(b, "cpuset/cpuset.mems", "cpuset.mems"), "0");
    EXPECT_EQ(trimmed(exec(b, "grep Cpus_allowed_list /proc/self/status | cut -f2").out), "0");
}

TEST_P(ResourceLimits, Pids) {
    const Bundle b = with({{"pids", {{"limit", 17}}}});
    EXPECT_EQ(cgroup_file(b, "pids/pids.max", "pids.max"), "17");
    EXPECT_NE(
        exec(b, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do sleep 30 >/dev/null 2>&1 & done")
            .err.find("fork"),
        std::string::npos);
}

TEST_P(ResourceLimits, BlockIoThrottle) {
    NEEDS_FILE("blkio/blkio.throttle.read_bps_device", "io.max");
    // The first disk of the machine: only whole devices can be throttled.
    const std::string disk = trimmed(
        run({"/bin/sh", "-c", "cat /sys/block/[svx]d*/dev /sys/block/nvme*n1/dev 2>/dev/null | head -n1"})
            .out);
    if (disk.empty()) GTEST_SKIP() << "SKIPPED in " << place().name << ": needs a disk";
    const Json device = {
        {"major", std::stoi(disk)}, {"minor", std::stoi(disk.substr(disk.find(':') + 1))}, {"rate", 1048576}};
    const Bundle b =
        with({{"blockIO", {{"throttleReadBpsDevice", {device}}, {"throttleWriteIOPSDevice", {device}}}}});
    if (place().unified) {
        const std::string seen = cgroup_file(b, "blkio/", "io.max");
        EXPECT_NE(seen.find(disk + " rbps=1048576"), std::string::npos) << seen;
        EXPECT_NE(seen.find("wiops=1048576"), std::string::npos) << seen;
        return;
    }
    EXPECT_EQ(cgroup_file(b, "blkio/blkio.throttle.read_bps_device", ""), disk + " 1048576");
    EXPECT_EQ(cgroup_file(b, "blkio/blkio.throttle.write_iops_device", ""), disk + " 1048576");
}

TEST_P(ResourceLimits, BlockIoWeight) {
    if (!has_file("blkio/blkio.bfq.weight", "io.bfq.weight") && !has_file("blkio/blkio.weight", "io.weight"))
        GTEST_SKIP() << "SKIPPED in " << place().name << ": the kernel has no weight of block devices";
    const Bundle b = with({{"blockIO", {{"weight", 300}}}});
    EXPECT_NE(cgroup_file(b, "blkio/blkio.bfq.weight",
                          has_file("", "io.bfq.weight") ? "io.bfq.weight" : "io.weight")
                  .find_first_of("123456789"),
              std::string::npos);
}

TEST_P(ResourceLimits, HugePages) {
    NEEDS_FILE("hugetlb/hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max");
    const Bundle b = with({{"hugepageLimits", {{{"pageSize", "2MB"}, {"limit", 4 * kMiB}}}}});
    EXPECT_EQ(cgroup_file(b, "hugetlb/hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"),
              std::to_string(4 * kMiB));
}

TEST_P(ResourceLimits, UnifiedKeysAreWrittenAsTheyAre) {
    if (!place().unified) GTEST_SKIP() << "SKIPPED in " << place().name << ": needs cgroup v2";
    const Bundle b = with({{"unified", {{"memory.high", "50331648"}, {"pids.max", "40"}}}});
    EXPECT_EQ(cgroup_file(b, "memory/", "memory.high"), "50331648");
    EXPECT_EQ(cgroup_file(b, "pids/", "pids.max"), "40");
}

TEST_P(ResourceLimits, ARefusedValueLeavesNothing) {
    ORLOP_OCI_LACKED_BY("crun", "the removal of a half-made cgroup");
    Json spec = shell_spec("true");
    spec["linux"]["resources"]["cpu"] = {{"cpus", "4000"}};
    const Bundle b = bundle();
    const Reply reply = run_to_end(b, spec);
    EXPECT_NE(reply.code, 0);
    expect_nothing_left(b);
}

TEST_P(ResourceLimits, TheContainerIsInItsCgroupFromTheBeginning) {
    const std::string own = output_of(shell_spec("cat /proc/1/cgroup"));
    EXPECT_NE(own.find(run_mark()), std::string::npos) << own;
    EXPECT_EQ(own.find("/orlopocitest/") != std::string::npos, GetParam() == Driver::Cgroupfs) << own;
}

TEST_P(ResourceLimits, UpdateChangesAFew) {
    const Bundle b = with({{"memory", {{"limit", 64 * kMiB}}}, {"pids", {{"limit", 20}}}});
    const Reply reply =
        update(b, {{"memory", {{"limit", 48 * kMiB}}}, {"cpu", {{"quota", 30000}, {"period", 100000}}}});
    ASSERT_EQ(reply.code, 0) << reply.err;
    EXPECT_EQ(cgroup_file(b, "memory/memory.limit_in_bytes", "memory.max"), std::to_string(48 * kMiB));
    EXPECT_EQ(cgroup_file(b, "cpu/cpu.cfs_quota_us", "cpu.max").substr(0, 5), "30000");
    EXPECT_EQ(cgroup_file(b, "pids/pids.max", "pids.max"), "20");
}

TEST_P(ResourceLimits, UpdateTakesFlags) {
    const Bundle b = with(Json::object());
    const Reply reply = oci(
        {"update", "--memory", std::to_string(40 * kMiB), "--pids-limit", "12", "--cpu-share", "256", b.id});
    ASSERT_EQ(reply.code, 0) << reply.err;
    EXPECT_EQ(cgroup_file(b, "memory/memory.limit_in_bytes", "memory.max"), std::to_string(40 * kMiB));
    EXPECT_EQ(cgroup_file(b, "pids/pids.max", "pids.max"), "12");
    if (place().unified) return;
    EXPECT_EQ(cgroup_file(b, "cpu/cpu.shares", ""), "256");
}

TEST_P(ResourceLimits, PauseFreezesAndResumeThaws) {
    const Bundle b = launch(shell_spec("i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"));
    ASSERT_TRUE(log_shows(b, "3\n"));
    ASSERT_EQ(oci({"pause", b.id}).code, 0);
    EXPECT_EQ(status(b), "paused");
    const std::string frozen = cgroup_file(b, "freezer/freezer.state", "cgroup.freeze");
    EXPECT_TRUE(frozen == "FROZEN" || frozen == "1") << frozen;
    EXPECT_NE(exec(b, "true").code, 0);
    ASSERT_EQ(oci({"resume", b.id}).code, 0);
    EXPECT_EQ(status(b), "running");
}

TEST_P(ResourceLimits, APausedContainerCanBeDeletedByForce) {
    const Bundle b = launch(sleeper_spec());
    ASSERT_EQ(oci({"pause", b.id}).code, 0);
    EXPECT_EQ(oci({"delete", "--force", b.id}).code, 0);
    expect_nothing_left(b);
}

TEST_P(ResourceLimits, KillAllReachesEveryProcess) {
    Json spec = shell_spec("sleep 1000 & sleep 1000 & wait");
    const Bundle b = launch(spec);
    ASSERT_TRUE(eventually(scaled(10), [&] {
        return Json::parse(oci({"ps", "--format", "json", b.id}).out, nullptr, false).size() == 3;
    }));
    EXPECT_EQ(oci({"kill", "--all", b.id, "KILL"}).code, 0);
    EXPECT_TRUE(becomes(b, "stopped"));
    EXPECT_EQ(oci({"delete", b.id}).code, 0);
    expect_nothing_left(b);
}

TEST_P(ResourceLimits, StatsAreTold) {
    ORLOP_OCI_LACKED_BY("crun", "events");
    const Bundle b = with({{"pids", {{"limit", 30}}}, {"memory", {{"limit", 64 * kMiB}}}});
    const Reply reply = oci({"events", "--stats", b.id});
    ASSERT_EQ(reply.code, 0) << reply.err;
    const Json stats = Json::parse(reply.out, nullptr, false);
    EXPECT_EQ(stats.value("type", ""), "stats");
    EXPECT_EQ(stats.value("id", ""), b.id);
    EXPECT_EQ(stats["data"]["pids"]["limit"], 30);
    EXPECT_EQ(stats["data"]["memory"]["usage"]["limit"], 64 * kMiB);
    EXPECT_GT(stats["data"]["memory"]["usage"]["usage"].get<long>(), 0);
    EXPECT_GE(stats["data"]["cpu"]["usage"]["total"].get<long>(), 0);
}

ORLOP_OCI_EVERY_DRIVER(ResourceLimits);

}  // namespace
}  // namespace orlop::it
