#include "runtime/core/cri/runtime_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>

#include <nlohmann/json.hpp>

namespace orlop::core {
namespace {

using nlohmann::json;

TEST(RuntimeSpec, SaysWhatThePlanDoes) {
    launch::LaunchPlan plan;
    plan.process.argv = {"/bin/app"};
    plan.process.capabilities.bounding = 1;
    plan.pid.from = launch::NsFrom::New;
    plan.net = {launch::NsFrom::Path, "/run/netns/a"};
    plan.uid_map = {{0, 1000, 10}};
    launch::Mount mount;
    mount.type = "bind";
    mount.source = "/h";
    mount.target = "/v";
    mount.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
    plan.mounts = {mount};
    ContainerRecord record;
    record.started_at = 1;
    record.uid = 7;
    record.groups = {7, 8};
    record.config.mutable_linux()->mutable_resources()->set_memory_limit_in_bytes(100);
    const json spec = runtime_spec(plan, record);
    EXPECT_EQ(spec["process"]["args"], json({"/bin/app"}));
    EXPECT_EQ(spec["process"]["user"]["uid"], 7);
    EXPECT_EQ(spec["process"]["user"]["additionalGids"], json({7, 8}));
    EXPECT_EQ(spec["process"]["capabilities"]["bounding"], json({"CAP_CHOWN"}));
    EXPECT_EQ(spec["mounts"][0]["options"], json({"rbind", "rprivate", "noexec", "ro"}));
    EXPECT_EQ(spec["linux"]["uidMappings"][0]["hostID"], 1000);
    EXPECT_EQ(spec["linux"]["resources"]["memory"]["limit"], 100);
    const json& namespaces = spec["linux"]["namespaces"];
    EXPECT_THAT(namespaces, testing::Contains(json({{"type", "network"}, {"path", "/run/netns/a"}})));
    EXPECT_THAT(namespaces, testing::Not(testing::Contains(json({{"type", "user"}}))));
}

TEST(RuntimeSpec, OfASandboxNamesItsNetworkAndCgroup) {
    SandboxRecord record;
    record.netns = "/run/netns/a";
    record.cgroup_path = "/pods/a";
    (*record.config.mutable_annotations())["k"] = "v";
    const json spec = runtime_spec(record);
    EXPECT_EQ(spec["linux"]["cgroupsPath"], "/pods/a");
    EXPECT_EQ(spec["annotations"]["k"], "v");
    EXPECT_THAT(spec["linux"]["namespaces"],
                testing::Contains(json({{"type", "network"}, {"path", "/run/netns/a"}})));
}

}  // namespace
}  // namespace orlop::core
