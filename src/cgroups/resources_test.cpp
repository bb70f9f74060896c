// Every field of Resources: what is refused where, and what the kernel of this machine shows of the rest.
#include "cgroups/resources.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "base/dir.h"
#include "cgroups/container.h"
#include "cgroups/devices_program.h"
#include "cgroups/files.h"

namespace orlop::cgroups {
namespace {

struct Refused {
    const char* field;
    Version version;
    Kind kind;
    Resources resources;
};
const Refused kRefused[] = {
    {"unified.memory.high", Version::V1, Kind::Unimplemented, {.unified = {{"memory.high", "1"}}}},
    {"unified.a/b.c", Version::V2, Kind::Invalid, {.unified = {{"a/b.c", "1"}}}},
    {"unified..hidden", Version::V2, Kind::Invalid, {.unified = {{".hidden", "1"}}}},
    {"unified.cgroup.procs", Version::V2, Kind::Invalid, {.unified = {{"cgroup.procs", "1"}}}},
    {"unified.cgroup.freeze", Version::V2, Kind::Invalid, {.unified = {{"cgroup.freeze", "1"}}}},
    {"unified.tasks", Version::V2, Kind::Invalid, {.unified = {{"tasks", "1"}}}},
    {"unified.", Version::V2, Kind::Invalid, {.unified = {{"", "1"}}}},
    {"cpu.realtimeRuntime", Version::V2, Kind::Unimplemented, {.rt_runtime_us = 1}},
    {"cpu.realtimePeriod", Version::V2, Kind::Unimplemented, {.rt_period_us = 1}},
    {"memory.swappiness", Version::V2, Kind::Unimplemented, {.memory_swappiness = 0}},
    {"memory.disableOOMKiller", Version::V2, Kind::Unimplemented, {.disable_oom_killer = true}},
    {"blockIO.leafWeight", Version::V2, Kind::Unimplemented, {.io_leaf_weight = 10}},
    {"blockIO.weightDevice.leafWeight",
     Version::V2,
     Kind::Unimplemented,
     {.io_devices = {{.major = 8, .leaf_weight = 10}}}},
    {"network.classID", Version::V2, Kind::Unimplemented, {.net_class = 1}},
    {"network.priorities", Version::V2, Kind::Unimplemented, {.net_priority = {{"lo", 1}}}},
};

TEST(CheckResources, NamesWhatTheOtherVersionHas) {
    for (const Refused& row : kRefused) {
        const auto r = check_resources(row.resources, row.version);
        ASSERT_FALSE(r) << row.field;
        EXPECT_EQ(r.error().kind(), row.kind) << row.field;
        EXPECT_TRUE(r.error().what().starts_with(std::string(row.field) + ":")) << r.error().what();
        if (row.kind == Kind::Invalid) continue;
        EXPECT_TRUE(check_resources(row.resources, row.version == Version::V1 ? Version::V2 : Version::V1))
            << row.field;
    }
    EXPECT_TRUE(check_resources({.disable_oom_killer = false}, Version::V2));
}

TEST(Weight, OfBlockDevicesCoversTheWholeRange) {
    EXPECT_EQ(io_weight_from_blkio(10), 1u);
    EXPECT_EQ(io_weight_from_blkio(500), 4950u);
    EXPECT_EQ(io_weight_from_blkio(1000), 10000u);
}

TEST(IoMaxLine, HasOneWordForEachLimit) {
    EXPECT_EQ(io_max_line({.major = 8, .minor = 16}), "");
    EXPECT_EQ(io_max_line({.major = 8, .minor = 16, .weight = 10}), "");
    EXPECT_EQ(io_max_line(
                  {.major = 8, .minor = 16, .read_bps = 1, .write_bps = 2, .read_iops = 3, .write_iops = 0}),
              "8:16 rbps=1 wbps=2 riops=3 wiops=max");
}

TEST(DeviceLines, SayEverythingOnceAndNeverMoreThanAsked) {
    const auto text = [](const std::vector<DeviceRule>& rules) {
        std::string out;
        for (const auto& [allow, line] : device_lines(rules)) out += (allow ? "+" : "-") + line + ";";
        return out;
    };
    EXPECT_EQ(text({{.allow = false}, {.allow = true, .type = 'c', .major = 1, .minor = 3}}),
              "-a;+c 1:3 rwm;");
    EXPECT_EQ(text({{true, 'c', 1, -1, "r"}, {true, 'c', 1, -1, "r"}}), "+c 1:* r;");
    EXPECT_EQ(text({{true, 'c', 1, 3, "rwm"}, {false, 'c', 1, 3, "w"}, {true, 'c', 1, 3, "rwm"}}),
              "+c 1:3 rwm;-c 1:3 w;+c 1:3 rwm;");
    // "a" would be everything to the kernel.
    EXPECT_EQ(text({{true, 'a', 7, -1, "rwm"}}), "+b 7:* rwm;+c 7:* rwm;");
    EXPECT_EQ(text({{true, 'a', -1, -1, "r"}}), "+b *:* r;+c *:* r;");
}

// ---- the kernel of this machine -------------------------------------------------------------------------

class RealLimits : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        auto h = detect_any();
        if (!h) GTEST_SKIP() << "needs cgroups: " << h.error().what();
        hierarchies_ = *h;
        path_ = "/orlop-limits-test-" + std::to_string(getpid());
        ASSERT_TRUE(Cgroup(hierarchies_, path_).create());
        v1_ = hierarchies_.version == Version::V1;
    }
    void TearDown() override {
        if (path_.empty()) return;
        EXPECT_TRUE(cgroup().remove(std::chrono::seconds(5)));
    }
    Cgroup cgroup() const { return Cgroup(hierarchies_, path_); }
    std::string value(const std::string& controller, const std::string& file) {
        std::string text = read_file(cgroup().directory_of(controller).value() + "/" + file).value_or("?");
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }
    bool has(const std::string& controller, const std::string& file) {
        const auto dir = cgroup().directory_of(controller);
        return dir && file_exists(*dir + "/" + file);
    }
    void apply(const Resources& r) {
        const auto applied = cgroup().apply(r);
        EXPECT_TRUE(applied) << applied.error().what();
    }
    bool v1_ = false;
    Hierarchies hierarchies_;
    std::string path_;
};

TEST_F(RealLimits, QuotaPeriodAndBurstMoveInEitherDirection) {
    const char* burst_file = v1_ ? "cpu.cfs_burst_us" : "cpu.max.burst";
    if (!has("cpu", burst_file)) GTEST_SKIP() << "needs the cpu controller with bursts (5.14)";
    const std::tuple<int64_t, uint64_t, uint64_t> steps[] = {{20000, 100000, 10000},
                                                             {200000, 100000, 150000},
                                                             {5000, 50000, 1000},
                                                             {-1, 100000, 0},
                                                             {50000, 100000, 50000}};
    for (const auto& [quota, period, burst] : steps) {
        apply({.cpu_quota_us = quota, .cpu_period_us = period, .cpu_burst_us = burst});
        EXPECT_EQ(value("cpu", burst_file), std::to_string(burst));
        if (v1_) {
            EXPECT_EQ(value("cpu", "cpu.cfs_quota_us"), std::to_string(quota));
            EXPECT_EQ(value("cpu", "cpu.cfs_period_us"), std::to_string(period));
        } else {
            EXPECT_EQ(value("cpu", "cpu.max"),
                      (quota < 0 ? "max" : std::to_string(quota)) + " " + std::to_string(period));
        }
    }
}

TEST_F(RealLimits, AQuotaAloneKeepsThePeriodAndTheOtherWayRound) {
    apply({.cpu_quota_us = 20000, .cpu_period_us = 50000});
    apply({.cpu_quota_us = 30000});
    apply({.cpu_period_us = 80000});
    if (v1_) {
        EXPECT_EQ(value("cpu", "cpu.cfs_quota_us"), "30000");
        EXPECT_EQ(value("cpu", "cpu.cfs_period_us"), "80000");
    } else {
        EXPECT_EQ(value("cpu", "cpu.max"), "30000 80000");
    }
}

TEST_F(RealLimits, AnIdleGroupGetsItsWeightWhenItMayHaveOne) {
    if (!has("cpu", "cpu.idle")) GTEST_SKIP() << "needs the cpu controller with cpu.idle (5.15)";
    apply({.cpu_shares = 512, .cpu_idle = 1});
    EXPECT_EQ(value("cpu", "cpu.idle"), "1");
    apply({.cpu_shares = 512, .cpu_idle = 1});
    apply({.cpu_shares = 2048, .cpu_idle = 0});
    EXPECT_EQ(value("cpu", "cpu.idle"), "0");
    EXPECT_EQ(v1_ ? value("cpu", "cpu.shares") : value("cpu", "cpu.weight"),
              v1_ ? "2048" : std::to_string(weight_from_shares(2048)));
}

TEST_F(RealLimits, RealtimeTimeIsGivenOnV1) {
    if (!has("cpu", "cpu.rt_runtime_us")) GTEST_SKIP() << "needs cgroup v1 with realtime group scheduling";
    if (value("cpu", "../cpu.rt_runtime_us") == "0") GTEST_SKIP() << "needs realtime time in the parent";
    apply({.rt_runtime_us = 1000, .rt_period_us = 500000});
    EXPECT_EQ(value("cpu", "cpu.rt_runtime_us"), "1000");
    EXPECT_EQ(value("cpu", "cpu.rt_period_us"), "500000");
    apply({.rt_runtime_us = 0, .rt_period_us = 1000000});
}

TEST_F(RealLimits, MemoryAndSwapMoveInEitherDirection) {
    constexpr int64_t kMiB = 1 << 20;
    const bool swap = has("memory", v1_ ? "memory.memsw.limit_in_bytes" : "memory.swap.max");
    if (!swap) GTEST_SKIP() << "needs the memory controller with swap accounting";
    const std::pair<int64_t, int64_t> steps[] = {
        {64 * kMiB, 128 * kMiB}, {256 * kMiB, 256 * kMiB}, {512 * kMiB, -1}, {32 * kMiB, 48 * kMiB}};
    for (const auto& [memory, both] : steps) {
        apply({.memory_limit = memory, .memory_swap_limit = both});
        EXPECT_EQ(value("memory", v1_ ? "memory.limit_in_bytes" : "memory.max"), std::to_string(memory));
        if (both < 0) continue;
        EXPECT_EQ(value("memory", v1_ ? "memory.memsw.limit_in_bytes" : "memory.swap.max"),
                  std::to_string(v1_ ? both : both - memory));
    }
    // Swap alone counts from the memory that is set; no limit of memory is none of both.
    apply({.memory_swap_limit = 64 * kMiB});
    EXPECT_EQ(value("memory", v1_ ? "memory.memsw.limit_in_bytes" : "memory.swap.max"),
              std::to_string(v1_ ? 64 * kMiB : 32 * kMiB));
    apply({.memory_limit = -1});
    EXPECT_EQ(cgroup().stats()->memory_limit, 0u);
    EXPECT_EQ(cgroup().apply({.memory_limit = 2 * kMiB, .memory_swap_limit = kMiB}).error().kind(),
              Kind::Invalid);
    EXPECT_EQ(cgroup().apply({.memory_limit = -1, .memory_swap_limit = kMiB}).error().kind(), Kind::Invalid);
}

TEST_F(RealLimits, MemoryReservationSwappinessAndOomKiller) {
    apply({.memory_reservation = 16 << 20});
    EXPECT_EQ(value("memory", v1_ ? "memory.soft_limit_in_bytes" : "memory.low"), "16777216");
    if (!v1_) return;
    apply({.memory_swappiness = 7, .disable_oom_killer = true});
    EXPECT_EQ(value("memory", "memory.swappiness"), "7");
    EXPECT_NE(value("memory", "memory.oom_control").find("oom_kill_disable 1"), std::string::npos);
    apply({.disable_oom_killer = false});
    EXPECT_NE(value("memory", "memory.oom_control").find("oom_kill_disable 0"), std::string::npos);
}

// The disk below a directory; none on machines without one.
std::optional<std::pair<int64_t, int64_t>> a_disk() {
    for (const auto& entry : std::filesystem::directory_iterator("/sys/block")) {
        unsigned major = 0, minor = 0;
        const auto text = read_file(entry.path() / "dev");
        if (text && sscanf(text->c_str(), "%u:%u", &major, &minor) == 2) return std::pair(major, minor);
    }
    return std::nullopt;
}

TEST_F(RealLimits, DisksAreThrottled) {
    const auto disk = a_disk();
    const bool io = v1_ ? has("blkio", "blkio.throttle.read_bps_device") : has("io", "io.max");
    if (!disk || !io) GTEST_SKIP() << "needs a block device and throttling";
    const auto [major, minor] = *disk;
    const std::string name = std::to_string(major) + ":" + std::to_string(minor);
    apply({.io_devices = {{.major = major, .minor = minor, .read_bps = 1048576, .write_iops = 100}}});
    if (v1_) {
        EXPECT_EQ(value("blkio", "blkio.throttle.read_bps_device"), name + " 1048576");
        EXPECT_EQ(value("blkio", "blkio.throttle.write_iops_device"), name + " 100");
    } else {
        EXPECT_EQ(value("io", "io.max"), name + " rbps=1048576 wbps=max riops=max wiops=100");
    }
    apply({.io_devices = {{.major = major, .minor = minor, .read_bps = 0},
                          {.major = major, .minor = minor, .write_iops = 0}}});
    EXPECT_EQ(v1_ ? value("blkio", "blkio.throttle.read_bps_device") : value("io", "io.max"), "");
}

TEST_F(RealLimits, IoWeightGoesWhereTheKernelHasOne) {
    const bool bfq = has("blkio", "blkio.bfq.weight") || has("io", "io.bfq.weight");
    const bool other = has("blkio", "blkio.weight") || has("io", "io.weight");
    const auto applied = cgroup().apply({.io_weight = 300});
    if (!bfq && !other) {
        ASSERT_FALSE(applied);
        EXPECT_NE(applied.error().what().find("blockIO.weight"), std::string::npos);
        return;
    }
    ASSERT_TRUE(applied) << applied.error().what();
    const char* file =
        bfq ? (v1_ ? "blkio.bfq.weight" : "io.bfq.weight") : (v1_ ? "blkio.weight" : "io.weight");
    const std::string weight = std::to_string(v1_ || bfq ? 300 : io_weight_from_blkio(300));
    EXPECT_EQ(value(v1_ ? "blkio" : "io", file), v1_ ? weight : "default " + weight);
    if (has("blkio", "blkio.leaf_weight")) return;
    const auto leaf = cgroup().apply({.io_leaf_weight = 300});
    ASSERT_FALSE(leaf);
    EXPECT_NE(leaf.error().what().find("blockIO.leafWeight"), std::string::npos) << leaf.error().what();
}

TEST_F(RealLimits, UnifiedIsWrittenAsGiven) {
    if (v1_) GTEST_SKIP() << "needs cgroup v2";
    apply({.unified = {{"memory.high", "33554432"}, {"pids.max", "12"}}});
    EXPECT_EQ(value("memory", "memory.high"), "33554432");
    EXPECT_EQ(value("pids", "pids.max"), "12");
    const auto missing = cgroup().apply({.unified = {{"memory.nothing", "1"}}});
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().what().find("unified.memory.nothing"), std::string::npos)
        << missing.error().what();
}

TEST_F(RealLimits, AControllerThatTheHostLacksIsNamed) {
    Hierarchies none = hierarchies_;
    for (const char* name : {"rdma", "net_cls", "net_prio"}) none.v1.erase(name);
    std::erase(none.v2_controllers, "rdma");
    const Cgroup poor(none, path_);
    ASSERT_TRUE(poor.apply({})) << "nothing is needed";
    const auto rdma = poor.apply({.rdma = {{"mlx", {.handles = 1}}}});
    ASSERT_FALSE(rdma);
    EXPECT_EQ(rdma.error().kind(), Kind::Unimplemented);
    EXPECT_NE(rdma.error().what().find("\"rdma\""), std::string::npos) << rdma.error().what();
    if (!v1_) return;
    EXPECT_NE(poor.apply({.net_class = 1}).error().what().find("\"net_cls\""), std::string::npos);
    EXPECT_NE(poor.apply({.net_priority = {{"lo", 1}}}).error().what().find("\"net_prio\""),
              std::string::npos);
}

}  // namespace
}  // namespace orlop::cgroups
