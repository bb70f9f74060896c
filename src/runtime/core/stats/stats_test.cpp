// What was read, as clients see it; the readings are made up.
#include <gmock/gmock.h>

#include <set>

#include "runtime/core/stats/messages.h"
#include "runtime/core/stats/metrics.h"

namespace orlop::core {
namespace {

ContainerRecord container() {
    ContainerRecord c;
    c.id = "c0ffee";
    c.sandbox = "5a11";
    c.config.mutable_metadata()->set_name("web");
    (*c.config.mutable_labels())["app"] = "shop";
    c.config.mutable_image()->set_image("nginx:1");
    c.config.mutable_linux()->mutable_resources()->set_cpu_quota(-1);
    c.config.mutable_linux()->mutable_resources()->set_cpu_shares(512);
    c.started_at = 7'500'000'000;
    return c;
}

SandboxRecord sandbox() {
    SandboxRecord s;
    s.id = "5a11";
    s.config.mutable_metadata()->set_name("shop-0");
    s.config.mutable_metadata()->set_namespace_("prod");
    return s;
}

Reading reading() {
    Reading r{.at = 99'000'000'000, .stats = cgroups::Stats{}, .nano_cores = 250'000'000};
    r.stats->cpu.total_ns = 3'700'000'000;
    r.stats->memory.memory = {.usage = 1000, .max = 1500, .limit = 2000, .failures = 3};
    r.stats->memory.working_set = 800;
    r.stats->memory.rss = 600;
    r.stats->memory.raw = {{"pgfault", 11}, {"pgmajfault", 2}};
    r.stats->memory.swap.usage = 77;
    r.stats->pids = 4;
    return r;
}

TEST(ContainerStats, SaysWhatWasRead) {
    const Disk disk{.mountpoint = "/var/lib/orlop/containers", .usage = {.bytes = 4096, .inodes = 2}};
    const auto stats = container_stats(container(), reading(), disk);
    EXPECT_EQ(stats.attributes().id(), "c0ffee");
    EXPECT_EQ(stats.attributes().labels().at("app"), "shop");
    EXPECT_EQ(stats.cpu().timestamp(), 99'000'000'000);
    EXPECT_EQ(stats.cpu().usage_core_nano_seconds().value(), 3'700'000'000u);
    EXPECT_EQ(stats.cpu().usage_nano_cores().value(), 250'000'000u);
    EXPECT_EQ(stats.memory().working_set_bytes().value(), 800u);
    EXPECT_EQ(stats.memory().available_bytes().value(), 1200u);
    EXPECT_EQ(stats.memory().page_faults().value(), 11u);
    EXPECT_EQ(stats.swap().swap_usage_bytes().value(), 77u);
    EXPECT_EQ(stats.writable_layer().used_bytes().value(), 4096u);
    EXPECT_FALSE(stats.cpu().has_psi());
}

TEST(ContainerStats, NothingIsAvailableWithoutALimit) {
    Reading r = reading();
    r.stats->memory.memory.limit = cgroups::kNoLimit;
    EXPECT_FALSE(container_stats(container(), r, std::nullopt).memory().has_available_bytes());
    r.stats->memory.memory.limit = 500;  // lowered below what is used
    EXPECT_EQ(container_stats(container(), r, std::nullopt).memory().available_bytes().value(), 0u);
}

TEST(ContainerStats, OneThatEndedHasItsNameAndItsDisk) {
    const Reading ended{.at = 5, .stats = {}, .nano_cores = {}};
    const auto stats = container_stats(container(), ended, Disk{.mountpoint = "/m", .usage = {}});
    EXPECT_EQ(stats.attributes().metadata().name(), "web");
    EXPECT_TRUE(stats.has_writable_layer());
    EXPECT_FALSE(stats.has_cpu());
}

TEST(SandboxStats, HasItsInterfacesAndProcesses) {
    const auto interfaces = parse_interfaces(
        "Inter-|   Receive\n face |bytes packets errs drop fifo frame compressed multicast|bytes ...\n"
        "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0   "
        "  0       0          0\n"
        "  eth0:    1234      12    1    2    0     0          0         0     4321      43    3    4    0   "
        "  0       0          0\n"
        "garbage without numbers\n  bad: 1 2\n");
    ASSERT_EQ(interfaces.size(), 1u);
    EXPECT_EQ(interfaces[0].tx_dropped, 4u);
    const auto stats = sandbox_stats(sandbox(), reading(), interfaces);
    EXPECT_EQ(stats.linux().network().default_interface().name(), "eth0");
    EXPECT_EQ(stats.linux().network().default_interface().rx_bytes().value(), 1234u);
    EXPECT_EQ(stats.linux().network().default_interface().tx_errors().value(), 3u);
    EXPECT_EQ(stats.linux().process().process_count().value(), 4u);
    EXPECT_FALSE(sandbox_stats(sandbox(), reading(), {}).linux().has_network());
}

TEST(StatsFilters, AllThatIsGivenHasToMatch) {
    cri::ContainerStatsFilter filter;
    EXPECT_TRUE(matches(filter, container()));
    filter.set_id("c0");
    filter.set_pod_sandbox_id("5a");
    (*filter.mutable_label_selector())["app"] = "shop";
    EXPECT_TRUE(matches(filter, container()));
    (*filter.mutable_label_selector())["tier"] = "back";
    EXPECT_FALSE(matches(filter, container()));
}

TEST(Metrics, ThereAreFiftySixWithANameOfTheirOwn) {
    const auto all = metric_descriptors();
    std::set<std::string> names;
    for (const auto& one : all) {
        names.insert(one.name());
        EXPECT_FALSE(one.help().empty()) << one.name();
        EXPECT_EQ(one.label_keys(0), "container") << one.name();
    }
    EXPECT_EQ(all.size(), 56u);
    EXPECT_EQ(names.size(), 56u);
}

TEST(Metrics, EachHasTheLabelsOfItsDescriptor) {
    Reading r = reading();
    r.stats->cpu_pressure = r.stats->io_pressure = r.stats->memory_pressure = cgroups::PressureStats{};
    r.stats->hugepages["2MB"] = {.usage = 5, .max = 6};
    r.stats->io.bytes = {{8, 0, "Read", 10}, {8, 0, "Write", 20}};
    r.stats->io.operations = {{8, 0, "Read", 1}, {8, 0, "Write", 2}};
    const std::optional<Disk> disk = Disk{.mountpoint = "/m", .usage = {.bytes = 1, .inodes = 1}};
    const Processes processes{
        .processes = 4, .threads = 9, .descriptors = 30, .sockets = 3, .soft_open_files = 1024};
    const std::vector<InterfaceCounters> interfaces = {{.name = "eth0", .rx_bytes = 5}};
    const ContainerRecord c = container();
    const SandboxRecord s = sandbox();
    auto metrics =
        container_metrics({.sandbox = s, .container = c, .reading = r, .disk = disk, .processes = processes});
    for (auto& metric : pod_metrics({.sandbox = s, .at = 3, .interfaces = interfaces}))
        metrics.push_back(metric);
    std::map<std::string, int> labels;
    for (const auto& d : metric_descriptors()) labels[d.name()] = d.label_keys_size();
    std::map<std::string, uint64_t> values;
    for (const auto& m : metrics) {
        ASSERT_TRUE(labels.contains(m.name())) << m.name();
        EXPECT_EQ(m.label_values_size(), labels[m.name()]) << m.name();
        values[m.name()] = m.value().value();
    }
    EXPECT_EQ(values.size(), 56u) << "a descriptor without a metric";
    EXPECT_EQ(values["container_cpu_usage_seconds_total"], 3u);
    EXPECT_EQ(values["container_start_time_seconds"], 7u);
    EXPECT_EQ(values["container_spec_cpu_quota"], 0u) << "-1 is no quota";
    EXPECT_EQ(values["container_fs_writes_bytes_total"], 20u);
    EXPECT_EQ(values["container_network_receive_bytes_total"], 5u);
}

TEST(Sampler, ARateNeedsAnEarlierLook) {
    FakeClock clock;
    Sampler sampler(clock, std::chrono::seconds(10));
    EXPECT_EQ(sampler.nano_cores("c", 1'000'000'000), std::nullopt);
    clock.advance(std::chrono::seconds(2));
    EXPECT_EQ(sampler.nano_cores("c", 2'000'000'000), 500'000'000u);
    clock.advance(std::chrono::milliseconds(100));
    EXPECT_EQ(sampler.nano_cores("c", 2'090'000'000), 500'000'000u) << "too short to say something new";
    clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(sampler.nano_cores("c", 0), 0u) << "started again";
    sampler.retain([](const std::string&) { return false; });
    EXPECT_EQ(sampler.nano_cores("c", 5), std::nullopt);
}

TEST(Sampler, FilesAreCountedOnceInAWhile) {
    FakeClock clock;
    Sampler sampler(clock, std::chrono::seconds(10));
    int counted = 0;
    const auto count = [&]() -> Result<images::DiskUsage> {
        return images::DiskUsage{.bytes = static_cast<uint64_t>(++counted), .inodes = 1};
    };
    EXPECT_EQ(sampler.disk("c", count)->bytes, 1u);
    clock.advance(std::chrono::seconds(9));
    EXPECT_EQ(sampler.disk("c", count)->bytes, 1u);
    clock.advance(std::chrono::seconds(2));
    EXPECT_EQ(sampler.disk("c", count)->bytes, 2u);
}

}  // namespace
}  // namespace orlop::core
