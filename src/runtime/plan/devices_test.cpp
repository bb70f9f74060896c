#include <algorithm>

#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

using cgroups::DeviceRule;
using launch::DeviceNode;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

std::vector<std::string> paths(const std::vector<DeviceNode>& nodes) {
    std::vector<std::string> out;
    for (const DeviceNode& node : nodes) out.push_back(node.path);
    return out;
}

void add_device(TestRequest& t, const std::string& host, const std::string& container,
                const std::string& permissions) {
    cri::Device& device = *t.config.add_devices();
    device.set_host_path(host);
    device.set_container_path(container);
    device.set_permissions(permissions);
}

Result<cgroups::Resources> resources(TestRequest& t) {
    return plan_resources(t.config, t.facts, t.devices);
}

TEST(Devices, AreTheDefaultOnes) {
    const auto nodes = TestRequest().good_plan().devices;
    EXPECT_THAT(paths(nodes), ElementsAre("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/random",
                                          "/dev/urandom"));
    EXPECT_EQ(nodes[0].major, 1u);
    EXPECT_EQ(nodes[0].minor, 3u);
    EXPECT_EQ(nodes[0].mode, 0666u);
}

TEST(Devices, AppearWhereTheContainerWantsThem) {
    TestRequest t;
    add_device(t, "/dev/fuse", "/dev/fuse", "rw");
    add_device(t, "/dev/snd", "/dev/sound", "r");
    add_device(t, "/dev/sda", "", "");
    t.devices = {{0, "", {"", 'c', 10, 229, 0660, 0, 5}},
                 {1, "timer", {"", 'c', 116, 33}},
                 {2, "", {"", 'b', 8, 0, 0600}}};
    const auto nodes = t.good_plan().devices;
    EXPECT_THAT(paths(nodes), Contains("/dev/fuse"));
    EXPECT_THAT(paths(nodes), Contains("/dev/sound/timer"));
    EXPECT_THAT(paths(nodes), Contains("/dev/sda"));
    EXPECT_EQ(nodes[6].mode, 0660u);
    EXPECT_EQ(nodes[6].gid, 5u);
    const auto planned = resources(t);
    ASSERT_TRUE(planned.ok());
    EXPECT_THAT(planned->devices, Contains(DeviceRule{true, 'c', 10, 229, "rw"}));
    EXPECT_THAT(planned->devices, Contains(DeviceRule{true, 'c', 116, 33, "r"}));
    EXPECT_THAT(planned->devices, Contains(DeviceRule{true, 'b', 8, 0, "rwm"}));
}

TEST(Devices, ReplaceADefaultOfTheSamePath) {
    TestRequest t;
    add_device(t, "/dev/mynull", "/dev/null", "rwm");
    t.devices = {{0, "", {"", 'c', 9, 9}}};
    const auto nodes = t.good_plan().devices;
    EXPECT_EQ(nodes.size(), 6u);
    EXPECT_EQ(nodes[0].major, 9u);
}

TEST(Devices, AreRefusedByField) {
    TestRequest t;
    add_device(t, "/dev/none", "/dev/none", "rwm");
    expect_error(t.plan(), Kind::Invalid, "devices[0].host_path: \"/dev/none\"");
    t.devices = {{0, "", {"", 'c', 9, 9}}};
    t.config.mutable_devices(0)->set_container_path("none");
    expect_error(t.plan(), Kind::Invalid, "devices[0].container_path");
    t.config.mutable_devices(0)->set_permissions("rx");
    expect_error(resources(t), Kind::Invalid, "devices[0].permissions: \"rx\"");
    t.devices[0].request = 1;
    expect_error(t.plan(), Kind::Invalid, "did not ask for");
    t.config.add_cdi_devices()->set_name("vendor.com/gpu=0");
    expect_error(t.plan(), Kind::Unimplemented, "vendor.com/gpu=0");
}

TEST(Devices, OfTheHostGoToPrivilegedContainers) {
    TestRequest t;
    t.host_devices = {{"/dev/sda", 'b', 8, 0},
                      {"/dev/ptmx", 'c', 5, 2},
                      {"/dev/console", 'c', 5, 1},
                      {"/dev/pts/0", 'c', 136, 0},
                      {"/dev/null", 'c', 1, 3, 0600}};
    EXPECT_THAT(paths(t.good_plan().devices), Not(Contains("/dev/sda")));
    t.make_privileged();
    const auto nodes = t.good_plan().devices;
    EXPECT_THAT(paths(nodes), ElementsAre("/dev/sda", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty",
                                          "/dev/random", "/dev/urandom"));
    EXPECT_EQ(nodes[1].mode, 0666u);
}

TEST(DeviceRules, DenyAllButTheDefaults) {
    TestRequest t;
    const auto planned = resources(t);
    ASSERT_TRUE(planned.ok());
    const auto& rules = planned->devices;
    EXPECT_EQ(rules.front(), (DeviceRule{false, 'a', -1, -1, "rwm"}));
    EXPECT_EQ(rules[1], (DeviceRule{true, 'c', -1, -1, "m"}));
    EXPECT_EQ(rules[2], (DeviceRule{true, 'b', -1, -1, "m"}));
    for (const auto& [major, minor] : std::vector<std::pair<int, int>>{
             {1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {136, -1}}) {
        EXPECT_THAT(rules, Contains(DeviceRule{true, 'c', major, minor, "rwm"}));
    }
    EXPECT_EQ(rules.size(), 12u);
}

TEST(DeviceRules, AllowPrivilegedContainersEverything) {
    TestRequest t;
    t.make_privileged();
    const auto planned = resources(t);
    ASSERT_TRUE(planned.ok());
    EXPECT_THAT(planned->devices, ElementsAre(DeviceRule{true, 'a', -1, -1, "rwm"}));
}

}  // namespace
}  // namespace orlop::plan
