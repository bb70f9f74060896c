#include "runtime/launch/codec.h"

#include <gtest/gtest.h>

#include "runtime/launch/plan.h"

namespace orlop::launch {
namespace {

LaunchPlan sample() {
    LaunchPlan plan;
    plan.id = "c1";
    plan.process.argv = {"/bin/sh", "-c", std::string("with\0nul", 8)};
    plan.process.user.uid = 7;
    plan.process.user.groups = {1, 2, 3};
    plan.process.oom_score_adj = -5;
    plan.process.seccomp.filter = std::string(800, '\x06');
    plan.net = {NsFrom::Path, "/run/netns/cni-1"};
    plan.root.lowers = {"/a", "/b"};
    plan.mounts.push_back({.type = "tmpfs", .target = "/tmp", .options = {{"size", "1m"}, {"noswap", ""}}});
    plan.devices.push_back({.path = "/dev/null", .major = 1, .minor = 3});
    return plan;
}

TEST(Codec, APlanComesBackAsItWas) {
    const std::string bytes = encode(sample());
    const auto back = decode<LaunchPlan>(bytes);
    ASSERT_TRUE(back) << back.error().what();
    EXPECT_EQ(back->process.argv, sample().process.argv);
    EXPECT_EQ(back->process.oom_score_adj, -5);
    EXPECT_EQ(back->process.user.gid, std::nullopt);
    EXPECT_EQ(back->net.from, NsFrom::Path);
    EXPECT_EQ(back->mounts.at(0).options, sample().mounts.at(0).options);
    EXPECT_EQ(encode(*back), bytes);
}

TEST(Codec, EveryCutIsAnErrorAndNeverReadsPastTheEnd) {
    const std::string bytes = encode(sample());
    for (size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode<LaunchPlan>(std::string_view(bytes).substr(0, size))) << size;
    }
    EXPECT_FALSE(decode<LaunchPlan>(bytes + "x"));
}

TEST(Codec, AHugeCountIsRefusedBeforeAnythingIsReserved) {
    const std::string bytes(8, '\xff');
    EXPECT_FALSE(decode<CgroupJoin>(bytes));
}

}  // namespace
}  // namespace orlop::launch
