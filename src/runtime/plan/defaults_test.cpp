#include <sys/resource.h>

#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

TEST(DefaultLimits, AreReadAsUlimitsAreWritten) {
    const struct {
        const char* text;
        uint32_t resource;
        uint64_t soft, hard;
    } rows[] = {{"nofile=1024:65536", RLIMIT_NOFILE, 1024, 65536},
                {"core=0", RLIMIT_CORE, 0, 0},
                {"memlock=unlimited", RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY},
                {"nproc=5:-1", RLIMIT_NPROC, 5, RLIM_INFINITY}};
    for (const auto& row : rows) {
        const auto limit = parse_rlimit(row.text);
        ASSERT_TRUE(limit) << limit.error().what();
        EXPECT_EQ(limit->resource, row.resource);
        EXPECT_EQ(limit->soft, row.soft);
        EXPECT_EQ(limit->hard, row.hard);
    }
    for (const char* text : {"", "nofile", "nofile=", "nofile=a", "nofile=2:1", "NOFILE=1", "nofiles=1"})
        expect_error(parse_rlimit(text), Kind::Invalid, text);
}

TEST(DefaultLimits, AreOfEveryContainer) {
    TestRequest t;
    t.facts.default_rlimits = {{RLIMIT_CORE, 0, 0}};
    EXPECT_EQ(t.good_plan().process.rlimits.size(), 2u);
    t.facts.default_rlimits = {{RLIMIT_NOFILE, 5, 6}};
    const auto limits = t.good_plan().process.rlimits;
    ASSERT_EQ(limits.size(), 1u);
    EXPECT_EQ(limits[0].soft, 5u);
}

TEST(DefaultSysctls, AreNamespacedOnes) {
    const auto good = parse_sysctl("net.core.somaxconn=1024");
    ASSERT_TRUE(good) << good.error().what();
    EXPECT_EQ(good->second, "1024");
    for (const char* text : {"vm.swappiness=1", "net.core.somaxconn", "net/core=1", "kernel.hostname=a"})
        expect_error(parse_sysctl(text), Kind::Invalid, text);
}

TEST(DefaultSysctls, AreOfPodsThatHaveTheNamespaceAndSayNothing) {
    TestRequest t;
    t.facts.default_sysctls = {{"net.core.somaxconn", "1024"}, {"kernel.shm_rmid_forced", "1"}};
    using testing::Contains;
    using testing::Pair;
    auto sysctls = plan_pause("s1", t.sandbox, "/run/netns/pod", t.facts)->sysctls;
    EXPECT_THAT(sysctls, Contains(Pair("net.core.somaxconn", "1024")));
    EXPECT_THAT(sysctls, Contains(Pair("kernel.shm_rmid_forced", "1")));
    (*t.sandbox.mutable_linux()->mutable_sysctls())["net.core.somaxconn"] = "7";
    sysctls = plan_pause("s1", t.sandbox, "/run/netns/pod", t.facts)->sysctls;
    EXPECT_THAT(sysctls, Contains(Pair("net.core.somaxconn", "7")));
    EXPECT_THAT(sysctls, testing::Not(Contains(Pair("net.core.somaxconn", "1024"))));
    t.sandbox.mutable_linux()->clear_sysctls();
    t.pod_security().mutable_namespace_options()->set_network(cri::NODE);
    sysctls = plan_pause("s1", t.sandbox, "", t.facts)->sysctls;
    EXPECT_THAT(sysctls, testing::Not(Contains(Pair("net.core.somaxconn", "1024"))));
}

}  // namespace
}  // namespace orlop::plan
