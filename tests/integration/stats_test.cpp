// Numbers of containers and pods that are known beforehand.
#include <gmock/gmock.h>

#include "base/dir.h"
#include "harness/dialog.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;

class StatsTest : public NodeTest {
  protected:
    void SetUp() override {
        if (place().reference) GTEST_SKIP() << "SKIPPED: containerd 1.6 has half of these numbers";
        NodeTest::SetUp();
    }
    // A number that crictl prints as a string, in {"value": "1"}.
    static uint64_t number(const Json& from, const std::string& path) {
        const Json value = from.value(Json::json_pointer(path + "/value"), Json());
        return value.is_string() ? std::stoull(value.get<std::string>()) : 0;
    }
    Json stats_of(const std::string& container) {
        const Json all = crictl().json({"stats", "-o", "json", "--id", container});
        return all["stats"].empty() ? Json() : all["stats"][0];
    }
};

TEST_F(StatsTest, AContainerThatUsesOneCpuAndSomeMemoryAndDisk) {
    const Launched c = launch(
        "busy",
        "head -c 8000000 /dev/zero >/written; head -c 40000000 /dev/zero | tail -c 40000000 >/dev/null & "
        "echo ready; while :; do :; done");
    ASSERT_TRUE(
        eventually(scaled(20), [&] { return log_of("busy", "busy").find("ready") != std::string::npos; }));
    Json stats;
    EXPECT_TRUE(eventually(scaled(30), [&] {
        stats = stats_of(c.container);
        return number(stats, "/cpu/usageNanoCores") > 300'000'000 &&
               number(stats, "/writableLayer/usedBytes") >= 8'000'000;
    })) << stats.dump(1);
    EXPECT_LT(number(stats, "/cpu/usageNanoCores"), 2'200'000'000u);
    EXPECT_GT(number(stats, "/cpu/usageCoreNanoSeconds"), 100'000'000u);
    EXPECT_GT(number(stats, "/memory/workingSetBytes"), 0u);
    EXPECT_LT(number(stats, "/writableLayer/usedBytes"), 9'000'000u);
    EXPECT_GE(number(stats, "/writableLayer/inodesUsed"), 2u);
    EXPECT_EQ(stats["attributes"]["labels"]["io.kubernetes.container.name"], "busy");
    EXPECT_FALSE(stats["writableLayer"]["fsId"].value("mountpoint", "").empty());
}

TEST_F(StatsTest, AvailableMemoryIsWhatTheLimitLeaves) {
    const Json pod = pod_config(node(), "limited");
    Json container = shell_config("limited", kSleepUntilStopped);
    container["linux"]["resources"]["memory_limit_in_bytes"] = 64 << 20;
    const std::string id = crictl().launch(crictl().runp(pod), container, pod);
    const Json stats = stats_of(id);
    EXPECT_EQ(number(stats, "/memory/availableBytes") + number(stats, "/memory/workingSetBytes"), 64u << 20)
        << stats.dump(1);
}

TEST_F(StatsTest, APodHasItsNetworkItsProcessesAndItsContainers) {
    const Launched c =
        launch("pod", "sleep 1000 & sleep 1000 & trap 'exit 0' TERM; while :; do sleep 0.1; done");
    crictl().must({"exec", "-s", c.container, "sh", "-c", "ping -c 3 -W 1 10.88.66.1 >/dev/null; true"});
    const Json all = crictl().json({"statsp", "-o", "json", "--id", c.pod});
    ASSERT_EQ(all["stats"].size(), 1u) << all.dump(1);
    const Json& stats = all["stats"][0]["linux"];
    EXPECT_EQ(stats["network"]["defaultInterface"].value("name", ""), "eth0");
    EXPECT_GT(number(stats, "/network/defaultInterface/txBytes"), 0u);
    EXPECT_GE(number(stats, "/process/processCount"), 4u);  // pause and three of the container's
    ASSERT_EQ(stats["containers"].size(), 1u);
    EXPECT_EQ(stats["containers"][0]["attributes"].value("id", ""), c.container);
}

TEST_F(StatsTest, MetricsHaveNamesLabelsAndValues) {
    const Launched c = launch("metrics", kSleepUntilStopped);
    const Json descriptors = crictl().json({"metricdescs", "-o", "json"});
    EXPECT_EQ(descriptors["descriptors"].size(), 56u);
    const Json metrics = crictl().json({"metricsp", "-o", "json"});
    ASSERT_EQ(metrics["podMetrics"].size(), 1u) << metrics.dump(1);
    const Json& pod = metrics["podMetrics"][0];
    EXPECT_EQ(pod.value("podSandboxId", ""), c.pod);
    EXPECT_EQ(pod["metrics"].size(), 8u) << "counters of one interface";
    ASSERT_EQ(pod["containerMetrics"].size(), 1u);
    std::map<std::string, Json> by_name;
    for (const Json& metric : pod["containerMetrics"][0]["metrics"])
        by_name[metric.value("name", "")] = metric;
    EXPECT_EQ(by_name["container_processes"]["value"]["value"], "2") << by_name["container_processes"].dump();
    EXPECT_EQ(by_name["container_memory_usage_bytes"]["labelValues"][0], "metrics");
    EXPECT_EQ(by_name["container_memory_usage_bytes"]["labelValues"][4], "it");
    EXPECT_NE(by_name["container_start_time_seconds"]["value"]["value"], "0");
}

TEST_F(StatsTest, AnUnknownOneIsAnErrorAndAnEndedOneIsNotListed) {
    EXPECT_NE(crictl().run({"stats", "--id", std::string(64, '7')}).out.find(std::string(13, '7')), 0u);
    const Launched c = launch("ended", "exit 0");
    crictl().wait_exit(c.container);
    EXPECT_EQ(crictl().json({"stats", "-o", "json"})["stats"].size(), 0u);
}

TEST_F(StatsTest, EventsTellALife) {
    Dialog events(crictl().argv({"events", "-o", "json"}, scaled(60)));
    const Launched c = launch("events", "exit 0");
    crictl().wait_exit(c.container);
    crictl().must({"rmp", "-f", c.pod});
    for (const char* kind : {"CONTAINER_CREATED_EVENT", "CONTAINER_STARTED_EVENT", "CONTAINER_STOPPED_EVENT",
                             "CONTAINER_DELETED_EVENT"}) {
        EXPECT_THAT(events.hear(kind), HasSubstr(c.container)) << kind;
    }
}

}  // namespace
}  // namespace orlop::it
