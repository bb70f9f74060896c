#include "runtime/oci/stats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/dir.h"

namespace orlop::oci {
namespace {

class StatsTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/orlop-oci-stats-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        base_ = name;
    }
    void TearDown() override { (void)Dir::open("/tmp")->remove_tree(base_.substr(5)); }
    void put(const std::string& dir, const std::string& file, const std::string& content) const {
        ASSERT_TRUE(Dir::make(base_ + dir)->write_atomic(file, content));
    }
    std::string base_;
};

TEST_F(StatsTest, ReadV2) {
    cgroups::Hierarchies h;
    h.root = base_;
    h.v2_controllers = {"cpu", "memory", "pids", "io"};
    put("/web", "cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nthrottled_usec 2\n");
    put("/web", "memory.current", "1000\n");
    put("/web", "memory.max", "max\n");
    put("/web", "memory.stat", "anon 5\nfile 6\n");
    put("/web", "memory.events", "low 0\nmax 3\n");
    put("/web", "pids.current", "2\n");
    put("/web", "pids.max", "20\n");
    put("/web", "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n");
    const auto event = nlohmann::json::parse(stats_event("web", cgroups::Cgroup(h, "/web")));
    EXPECT_EQ(event["type"], "stats");
    EXPECT_EQ(event["id"], "web");
    const auto& data = event["data"];
    EXPECT_EQ(data["cpu"]["usage"]["total"], 30000);
    EXPECT_EQ(data["cpu"]["usage"]["kernel"], 10000);
    EXPECT_EQ(data["cpu"]["throttling"]["throttledTime"], 2000);
    EXPECT_EQ(data["memory"]["usage"]["usage"], 1000);
    EXPECT_EQ(data["memory"]["usage"]["limit"], 0);
    EXPECT_EQ(data["memory"]["usage"]["failcnt"], 3);
    EXPECT_EQ(data["memory"]["raw"]["anon"], 5);
    EXPECT_EQ(data["pids"]["limit"], 20);
    const auto& bytes = data["blkio"]["ioServiceBytesRecursive"];
    ASSERT_EQ(bytes.size(), 3u);
    EXPECT_EQ(bytes[1], (nlohmann::json{{"major", 8}, {"minor", 0}, {"op", "Write"}, {"value", 2}}));
}

TEST_F(StatsTest, ReadV1) {
    cgroups::Hierarchies h;
    h.version = cgroups::Version::V1;
    for (const char* c : {"cpu", "cpuacct", "memory", "pids", "blkio"}) h.v1[c] = base_ + "/" + c;
    put("/cpuacct/web", "cpuacct.usage", "700\n");
    put("/cpuacct/web", "cpuacct.usage_percpu", "300 400 \n");
    put("/cpuacct/web", "cpuacct.stat", "user 2\nsystem 1\n");
    put("/cpu/web", "cpu.stat", "nr_periods 9\nnr_throttled 1\nthrottled_time 5\n");
    put("/memory/web", "memory.limit_in_bytes", "4096\n");
    put("/memory/web", "memory.stat", "cache 12\n");
    put("/pids/web", "pids.current", "1\n");
    put("/blkio/web", "blkio.throttle.io_serviced_recursive", "8:16 Read 7\n8:16 Write 0\nTotal 7\n");
    const auto data = nlohmann::json::parse(stats_event("web", cgroups::Cgroup(h, "/web")))["data"];
    EXPECT_EQ(data["cpu"]["usage"]["total"], 700);
    EXPECT_EQ(data["cpu"]["usage"]["percpu"], (nlohmann::json{300, 400}));
    EXPECT_EQ(data["cpu"]["usage"]["user"], 20'000'000);
    EXPECT_EQ(data["cpu"]["throttling"]["throttledPeriods"], 1);
    EXPECT_EQ(data["memory"]["usage"]["limit"], 4096);
    EXPECT_EQ(data["memory"]["cache"], 12);
    ASSERT_EQ(data["blkio"]["ioServicedRecursive"].size(), 2u);
    EXPECT_EQ(data["blkio"]["ioServicedRecursive"][0]["minor"], 16);
}

TEST_F(StatsTest, TellWhatThereIsOfACgroupThatIsGone) {
    cgroups::Hierarchies h;
    h.root = base_;
    const auto event = nlohmann::json::parse(stats_event("web", cgroups::Cgroup(h, "/gone")));
    EXPECT_EQ(event["data"]["pids"]["current"], 0);
}

}  // namespace
}  // namespace orlop::oci
