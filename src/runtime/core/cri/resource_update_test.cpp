#include "runtime/core/cri/resource_update.h"

#include <gtest/gtest.h>

namespace orlop::core {
namespace {

TEST(MergedResources, KeepWhatIsNotGiven) {
    cri::LinuxContainerResources old, change;
    old.set_cpu_shares(512);
    old.set_cpuset_cpus("0");
    old.set_oom_score_adj(100);
    (*old.mutable_unified())["memory.low"] = "1";
    change.set_cpu_quota(20000);
    change.set_oom_score_adj(5);
    (*change.mutable_unified())["memory.high"] = "2";
    const auto out = merged(old, change);
    EXPECT_EQ(out.cpu_shares(), 512);
    EXPECT_EQ(out.cpu_quota(), 20000);
    EXPECT_EQ(out.cpuset_cpus(), "0");
    EXPECT_EQ(out.oom_score_adj(), 100);
    EXPECT_EQ(out.unified_size(), 2);
}

TEST(MergedResources, KeepAContainerWithoutSwapWithoutIt) {
    cri::LinuxContainerResources old, change;
    old.set_memory_limit_in_bytes(100);
    old.set_memory_swap_limit_in_bytes(100);
    change.set_memory_limit_in_bytes(200);
    EXPECT_EQ(merged(old, change).memory_swap_limit_in_bytes(), 200);
    old.set_memory_swap_limit_in_bytes(300);
    EXPECT_EQ(merged(old, change).memory_swap_limit_in_bytes(), 300);
    change.set_memory_swap_limit_in_bytes(-1);
    EXPECT_EQ(merged(old, change).memory_swap_limit_in_bytes(), -1);
}

TEST(MergedResources, ReplaceHugepageLimitsBySize) {
    cri::LinuxContainerResources old, change;
    auto& two = *old.add_hugepage_limits();
    two.set_page_size("2MB");
    two.set_limit(1);
    auto& again = *change.add_hugepage_limits();
    again.set_page_size("2MB");
    again.set_limit(2);
    change.add_hugepage_limits()->set_page_size("1GB");
    const auto out = merged(old, change);
    ASSERT_EQ(out.hugepage_limits_size(), 2);
    EXPECT_EQ(out.hugepage_limits(0).limit(), 2u);
}

}  // namespace
}  // namespace orlop::core
