#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

using testing::ElementsAre;
using testing::Pair;
using Limits = cri::LinuxContainerResources;

cgroups::Resources planned(TestRequest& t) {
    auto result = plan_limits(t.resources(), t.facts);
    EXPECT_TRUE(result.ok()) << (result ? "" : result.error().what());
    return result.value_or({});
}

TEST(Limits, AreUnsetWhenTheRequestSaysNothing) {
    TestRequest t;
    EXPECT_EQ(planned(t), cgroups::Resources{});
}

TEST(Limits, AreTakenOver) {
    TestRequest t;
    Limits& limits = t.resources();
    limits.set_cpu_shares(512);
    limits.set_cpu_quota(50000);
    limits.set_cpu_period(100000);
    limits.set_cpuset_cpus("0-3,7");
    limits.set_cpuset_mems("0");
    limits.set_memory_limit_in_bytes(64 << 20);
    auto& pages = *limits.add_hugepage_limits();
    pages.set_page_size("2MB");
    pages.set_limit(4 << 20);
    const auto out = planned(t);
    EXPECT_EQ(out.cpu_shares, 512u);
    EXPECT_EQ(out.cpu_quota_us, 50000);
    EXPECT_EQ(out.cpu_period_us, 100000u);
    EXPECT_EQ(out.cpuset_cpus, "0-3,7");
    EXPECT_EQ(out.cpuset_mems, "0");
    EXPECT_EQ(out.memory_limit, 64 << 20);
    EXPECT_THAT(out.hugepages, ElementsAre(Pair("2MB", 4u << 20)));
    EXPECT_EQ(out.pids_limit, std::nullopt);
    EXPECT_TRUE(out.devices.empty());
}

TEST(Limits, KeepSharesWithinWhatTheKernelTakes) {
    TestRequest t;
    t.resources().set_cpu_shares(1);
    EXPECT_EQ(planned(t).cpu_shares, 2u);
    t.resources().set_cpu_shares(1 << 20);
    EXPECT_EQ(planned(t).cpu_shares, 262144u);
}

TEST(Limits, AllowNoSwapUnlessAskedFor) {
    using Maybe = std::optional<int64_t>;
    const struct {
        const char* name;
        int64_t limit, swap;
        Maybe expected_limit, expected_swap;
    } rows[] = {
        {"a limit alone", 100, 0, 100, 100},
        {"a limit and some swap", 100, 150, 100, 150},
        {"a limit and endless swap", 100, -1, 100, -1},
        {"no limit at all", -1, 0, -1, -1},
        {"swap alone", 0, 150, std::nullopt, 150},
        {"neither", 0, 0, std::nullopt, std::nullopt},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        t.resources().set_memory_limit_in_bytes(row.limit);
        t.resources().set_memory_swap_limit_in_bytes(row.swap);
        const auto out = planned(t);
        EXPECT_EQ(out.memory_limit, row.expected_limit);
        EXPECT_EQ(out.memory_swap_limit, row.expected_swap);
    }
}

TEST(Limits, IgnoreThatPagesWeDoNotHaveAreForbidden) {
    TestRequest t;
    t.resources().add_hugepage_limits()->set_page_size("16GB");
    EXPECT_TRUE(planned(t).hugepages.empty());
}

TEST(Limits, AreRefusedByField) {
    const struct {
        const char* name;
        void (*bend)(TestRequest&);
        const char* words;
    } rows[] = {
        {"shares", [](TestRequest& t) { t.resources().set_cpu_shares(-1); }, "cpu_shares"},
        {"period", [](TestRequest& t) { t.resources().set_cpu_period(-1); }, "cpu_period"},
        {"quota", [](TestRequest& t) { t.resources().set_cpu_quota(-2); }, "cpu_quota"},
        {"memory", [](TestRequest& t) { t.resources().set_memory_limit_in_bytes(-2); },
         "memory_limit_in_bytes"},
        {"swap below memory",
         [](TestRequest& t) {
             t.resources().set_memory_limit_in_bytes(100);
             t.resources().set_memory_swap_limit_in_bytes(50);
         },
         "memory_swap_limit_in_bytes"},
        {"cpus", [](TestRequest& t) { t.resources().set_cpuset_cpus("0-3\n4"); }, "cpuset_cpus"},
        {"pages",
         [](TestRequest& t) {
             auto& pages = *t.resources().add_hugepage_limits();
             pages.set_page_size("16GB");
             pages.set_limit(1);
         },
         "hugepage_limits[0].page_size"},
        {"a path as a unified file",
         [](TestRequest& t) { (*t.resources().mutable_unified())["../memory.max"] = "1"; }, "unified"},
        {"a name without a controller",
         [](TestRequest& t) { (*t.resources().mutable_unified())["tasks"] = "1"; }, "unified"},
        {"membership", [](TestRequest& t) { (*t.resources().mutable_unified())["cgroup.procs"] = "1"; },
         "not a limit"},
        {"unified on version 1",
         [](TestRequest& t) {
             t.facts.cgroup_v2 = false;
             (*t.resources().mutable_unified())["memory.high"] = "1";
         },
         "cgroup v1"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        row.bend(t);
        expect_error(plan_limits(t.resources(), t.facts), Kind::Invalid, row.words);
    }
}

TEST(Limits, PassUnifiedFilesOn) {
    TestRequest t;
    (*t.resources().mutable_unified())["memory.high"] = "6937202688";
    EXPECT_THAT(planned(t).unified, ElementsAre(Pair("memory.high", "6937202688")));
}

TEST(Resources, HaveTheNodesLimitOfProcesses) {
    TestRequest t;
    EXPECT_EQ(plan_resources(t.config, t.facts).value_or({}).pids_limit, std::nullopt);
    t.facts.pids_limit = 4096;
    EXPECT_EQ(plan_resources(t.config, t.facts).value_or({}).pids_limit, 4096);
}

}  // namespace
}  // namespace orlop::plan
