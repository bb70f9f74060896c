#include "cgroups/unit_property.h"

#include <gtest/gtest.h>

namespace orlop::cgroups {
namespace {

constexpr const char* kProcDevices =
    "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n 10 misc\n\nBlock devices:\n  7 loop\n  8 sd\n";

std::string text_of(const UnitProperty& p) {
    struct ToText {
        std::string operator()(bool v) const { return v ? "yes" : "no"; }
        std::string operator()(uint64_t v) const { return v == UINT64_MAX ? "infinity" : std::to_string(v); }
        std::string operator()(const std::string& v) const { return v; }
        std::string operator()(const std::vector<uint32_t>&) const { return "?"; }
        std::string operator()(const std::vector<uint8_t>& v) const {
            std::string out;
            for (const uint8_t byte : v) out += (out.empty() ? "" : ",") + std::to_string(byte);
            return out;
        }
        std::string operator()(const std::vector<std::pair<std::string, uint64_t>>& v) const {
            std::string out;
            for (const auto& [a, b] : v) out += a + " " + std::to_string(b) + ",";
            return out;
        }
        std::string operator()(const std::vector<std::pair<std::string, std::string>>& v) const {
            std::string out;
            for (const auto& [a, b] : v) out += a + " " + b + ",";
            return out;
        }
    };
    const std::string since = p.since > 0 ? "@" + std::to_string(p.since) : "";
    return p.name + since + "=" + std::visit(ToText(), p.value);
}

struct Row {
    const char* name;
    Resources resources;
    const char* v1;
    const char* v2;
};
void PrintTo(const Row& row, std::ostream* out) {
    *out << row.name;
}

class UnitProperties : public testing::TestWithParam<Row> {};

TEST_P(UnitProperties, FollowTheMap) {
    const auto all = [](Version version) {
        std::string out;
        for (const UnitProperty& p : unit_properties(GetParam().resources, version, kProcDevices))
            out += (out.empty() ? "" : "; ") + text_of(p);
        return out;
    };
    EXPECT_EQ(all(Version::V1), GetParam().v1);
    EXPECT_EQ(all(Version::V2), GetParam().v2);
}

const DeviceRule kDenyAll{false, 'a', -1, -1, "rwm"};
const DeviceRule kAllowAll{true, 'a', -1, -1, "rwm"};

const Row kRows[] = {
    {"Nothing", {}, "", ""},
    {"Memory", {.memory_limit = 4096}, "MemoryLimit=4096", "MemoryMax=4096"},
    {"MemoryWithoutLimit", {.memory_limit = -1}, "MemoryLimit=infinity", "MemoryMax=infinity"},
    {"Reservation", {.memory_reservation = 4096}, "", "MemoryLow=4096"},
    {"Swap",
     {.memory_limit = 4096, .memory_swap_limit = 12288},
     "MemoryLimit=4096",
     "MemoryMax=4096; MemorySwapMax=8192"},
    {"SwapWithoutLimit",
     {.memory_limit = 4096, .memory_swap_limit = -1},
     "MemoryLimit=4096",
     "MemoryMax=4096; MemorySwapMax=infinity"},
    {"SwapAloneIsLeftToTheFiles", {.memory_swap_limit = 4096}, "", ""},
    {"Shares", {.cpu_shares = 1024}, "CPUShares=1024", "CPUWeight=100"},
    {"Quota",
     {.cpu_quota_us = 50000, .cpu_period_us = 200000},
     "CPUQuotaPerSecUSec=250000; CPUQuotaPeriodUSec@242=200000",
     "CPUQuotaPerSecUSec=250000; CPUQuotaPeriodUSec@242=200000"},
    {"QuotaIsRoundedUp", {.cpu_quota_us = 1001}, "CPUQuotaPerSecUSec=20000", "CPUQuotaPerSecUSec=20000"},
    {"NoQuota", {.cpu_quota_us = -1}, "CPUQuotaPerSecUSec=infinity", "CPUQuotaPerSecUSec=infinity"},
    {"Idle", {.cpu_shares = 1024, .cpu_idle = 1}, "CPUShares=1024", "CPUWeight@252=0"},
    {"NotIdle", {.cpu_idle = 0}, "", ""},
    {"Cpuset",
     {.cpuset_cpus = "0-2,9", .cpuset_mems = "0"},
     "AllowedCPUs@244=7,2; AllowedMemoryNodes@244=1",
     "AllowedCPUs@244=7,2; AllowedMemoryNodes@244=1"},
    {"CpusetThatIsNone", {.cpuset_cpus = "2-1"}, "", ""},
    {"Pids", {.pids_limit = 5}, "TasksMax=5", "TasksMax=5"},
    {"PidsWithoutLimit", {.pids_limit = -1}, "TasksMax=infinity", "TasksMax=infinity"},
    {"IoWeight", {.io_weight = 500}, "BlockIOWeight=500", "IOWeight=4950"},
    {"IoDeviceWeight",
     {.io_devices = {{.major = 8, .minor = 16, .weight = 10}, {.major = 8, .read_bps = 1}}},
     "BlockIODeviceWeight=/dev/block/8:16 10,",
     "IODeviceWeight=/dev/block/8:16 1,"},
    {"Unified",
     {.unified = {{"memory.high", "4096"}, {"memory.min", "max"}, {"pids.max", "x"}, {"io.max", "1"}}},
     "",
     "MemoryMin=infinity; MemoryHigh=4096"},
    {"LeftToTheFiles",
     {.cpu_burst_us = 1, .memory_swappiness = 1, .rdma = {{"a", {.handles = 1}}}, .hugepages = {{"2MB", 1}}},
     "",
     ""},
    {"AllDevices",
     {.devices = {kDenyAll, kAllowAll}},
     "DevicePolicy=auto; DeviceAllow=",
     "DevicePolicy=auto; DeviceAllow="},
    {"NoDevices",
     {.devices = {kDenyAll}},
     "DevicePolicy=strict; DeviceAllow=",
     "DevicePolicy=strict; DeviceAllow="},
    {"SomeDevices",
     {.devices = {kDenyAll,
                  {true, 'c', -1, -1, "m"},
                  {true, 'c', 1, 3, "rwm"},
                  {true, 'c', 136, -1, "rw"},
                  {true, 'b', 7, -1, "r"},
                  {true, 'a', 5, 1, "r"},
                  {true, 'c', 99, -1, "rwm"}}},
     "DevicePolicy=strict; DeviceAllow=; DeviceAllow=char-* m,/dev/char/1:3 rwm,char-pts rw,block-loop r,"
     "/dev/block/5:1 r,/dev/char/5:1 r,",
     "DevicePolicy=strict; DeviceAllow=; DeviceAllow=char-* m,/dev/char/1:3 rwm,char-pts rw,block-loop r,"
     "/dev/block/5:1 r,/dev/char/5:1 r,"},
    {"DevicesTakenBack",
     {.devices = {kAllowAll,
                  kDenyAll,
                  {true, 'c', 1, 3, "rwm"},
                  {true, 'c', 1, 5, "r"},
                  {false, 'c', 1, 3, "w"},
                  {false, 'c', 1, 5, "rw"}}},
     "DevicePolicy=strict; DeviceAllow=; DeviceAllow=/dev/char/1:3 rm,",
     "DevicePolicy=strict; DeviceAllow=; DeviceAllow=/dev/char/1:3 rm,"},
};
INSTANTIATE_TEST_SUITE_P(Table, UnitProperties, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace orlop::cgroups
