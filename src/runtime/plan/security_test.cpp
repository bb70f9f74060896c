#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Names = std::vector<std::string>;
using Profile = cri::SecurityProfile;

constexpr uint64_t bit(int capability) {
    return uint64_t{1} << capability;
}

TEST(User, IsTheRequestedOneOrTheImages) {
    TestRequest t;
    t.image.config.user = "app:staff";
    EXPECT_EQ(t.good_plan().process.user.user, "app:staff");
    t.security().mutable_run_as_user()->set_value(1000);
    auto user = t.good_plan().process.user;
    EXPECT_EQ(user.user, "");
    EXPECT_EQ(user.uid, 1000u);
    EXPECT_EQ(user.gid, std::nullopt);
    t.security().mutable_run_as_group()->set_value(2000);
    EXPECT_EQ(t.good_plan().process.user.gid, 2000u);
    t.security().set_run_as_username("web");
    user = t.good_plan().process.user;
    EXPECT_EQ(user.user, "web");
    EXPECT_EQ(user.uid, std::nullopt);
    EXPECT_EQ(user.gid, 2000u);
}

TEST(User, TakesSupplementalGroupsOnceEach) {
    TestRequest t;
    for (const int64_t group : {30, 10, 30}) t.security().add_supplemental_groups(group);
    auto user = t.good_plan().process.user;
    EXPECT_THAT(user.groups, ElementsAre(10, 30));
    EXPECT_FALSE(user.strict_groups);
    t.security().set_supplemental_groups_policy(cri::Strict);
    EXPECT_TRUE(t.good_plan().process.user.strict_groups);
}

TEST(User, RefusesWhatCouldBecomeSomebodyElse) {
    const struct {
        const char* name;
        void (*bend)(TestRequest&);
        const char* words;
    } rows[] = {
        {"a group without a user", [](TestRequest& t) { t.security().mutable_run_as_group()->set_value(1); },
         "run_as_group"},
        {"a negative id", [](TestRequest& t) { t.security().mutable_run_as_user()->set_value(-1); },
         "run_as_user"},
        {"an id that is root in 32 bits",
         [](TestRequest& t) { t.security().mutable_run_as_user()->set_value(4294967296); }, "run_as_user"},
        {"a group in the name", [](TestRequest& t) { t.security().set_run_as_username("web:root"); },
         "run_as_username"},
        {"a newline in the name", [](TestRequest& t) { t.security().set_run_as_username("web\nroot"); },
         "run_as_username"},
        {"a newline in the image's", [](TestRequest& t) { t.image.config.user = "a\nb"; },
         "the image's user"},
        {"a group out of range", [](TestRequest& t) { t.security().add_supplemental_groups(1ll << 32); },
         "supplemental_groups[0]"},
        {"an unknown policy",
         [](TestRequest& t) {
             t.security().set_supplemental_groups_policy(static_cast<cri::SupplementalGroupsPolicy>(7));
         },
         "supplemental_groups_policy"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        row.bend(t);
        expect_error(t.plan(), Kind::Invalid, row.words);
    }
}

constexpr uint64_t kDefault = bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FSETID) | bit(CAP_FOWNER) |
                              bit(CAP_MKNOD) | bit(CAP_NET_RAW) | bit(CAP_SETGID) | bit(CAP_SETUID) |
                              bit(CAP_SETFCAP) | bit(CAP_SETPCAP) | bit(CAP_NET_BIND_SERVICE) |
                              bit(CAP_SYS_CHROOT) | bit(CAP_KILL) | bit(CAP_AUDIT_WRITE);

TEST(Capabilities, AddUpAsTheOtherRuntimesDoIt) {
    const struct {
        const char* name;
        Names add, drop;
        uint64_t expected;
    } rows[] = {
        {"the default", {}, {}, kDefault},
        {"one more", {"NET_ADMIN"}, {}, kDefault | bit(CAP_NET_ADMIN)},
        {"with the prefix and in lower case", {"cap_sys_time"}, {}, kDefault | bit(CAP_SYS_TIME)},
        {"one less", {}, {"NET_RAW"}, kDefault & ~bit(CAP_NET_RAW)},
        {"all", {"ALL"}, {}, all_capabilities()},
        {"all but one", {"all"}, {"SYS_ADMIN"}, all_capabilities() & ~bit(CAP_SYS_ADMIN)},
        {"none", {}, {"ALL"}, 0},
        {"none but one", {"NET_BIND_SERVICE"}, {"CAP_ALL"}, bit(CAP_NET_BIND_SERVICE)},
        {"dropping wins over adding", {"NET_ADMIN"}, {"NET_ADMIN"}, kDefault},
        {"all and none", {"ALL"}, {"ALL"}, 0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        auto& capabilities = *t.security().mutable_capabilities();
        capabilities.mutable_add_capabilities()->Assign(row.add.begin(), row.add.end());
        capabilities.mutable_drop_capabilities()->Assign(row.drop.begin(), row.drop.end());
        const auto sets = t.good_plan().process.capabilities;
        EXPECT_EQ(sets.bounding, row.expected);
        EXPECT_EQ(sets.permitted, row.expected);
        EXPECT_EQ(sets.effective, row.expected);
        EXPECT_EQ(sets.inheritable, 0u);
        EXPECT_EQ(sets.ambient, 0u);
    }
}

TEST(Capabilities, CannotExceedOurOwn) {
    TestRequest t;
    t.facts.capabilities = all_capabilities() & ~bit(CAP_SYS_RESOURCE);
    t.security().mutable_capabilities()->add_add_capabilities("ALL");
    EXPECT_EQ(t.good_plan().process.capabilities.bounding, t.facts.capabilities);
    t.make_privileged();
    EXPECT_EQ(t.good_plan().process.capabilities.effective, t.facts.capabilities);
}

TEST(Capabilities, AreAmbientOnlyWhenAskedForAndHeld) {
    TestRequest t;
    auto& capabilities = *t.security().mutable_capabilities();
    capabilities.add_drop_capabilities("ALL");
    capabilities.add_drop_capabilities("KILL");
    capabilities.add_add_ambient_capabilities("NET_BIND_SERVICE");
    capabilities.add_add_ambient_capabilities("KILL");
    const auto sets = t.good_plan().process.capabilities;
    EXPECT_EQ(sets.bounding, bit(CAP_NET_BIND_SERVICE));
    EXPECT_EQ(sets.ambient, bit(CAP_NET_BIND_SERVICE));
    EXPECT_EQ(sets.inheritable, bit(CAP_NET_BIND_SERVICE));
}

TEST(Capabilities, AreRefusedByNameWhenUnknown) {
    TestRequest t;
    t.security().mutable_capabilities()->add_add_capabilities("KILL");
    t.security().mutable_capabilities()->add_add_capabilities("FLY");
    expect_error(t.plan(), Kind::Invalid, "add_capabilities[1]: unknown capability \"FLY\"");
}

TEST(NoNewPrivileges, AreAsTheSecurityContextSays) {
    TestRequest t;
    EXPECT_FALSE(t.good_plan().process.no_new_privileges);
    t.security().set_no_new_privs(true);
    EXPECT_TRUE(t.good_plan().process.no_new_privileges);
}

TEST(Seccomp, FollowsTheNewFieldThenTheOldOne) {
    constexpr auto kNone = static_cast<Profile::ProfileType>(-1);
    const struct {
        const char* name;
        Profile::ProfileType type;
        const char* path;
        bool filtered;
    } rows[] = {
        {"nothing is unconfined", kNone, "", false},
        {"the default", Profile::RuntimeDefault, "", true},
        {"unconfined", Profile::Unconfined, "", false},
        {"the old default", kNone, "runtime/default", true},
        {"the oldest default", kNone, "docker/default", true},
        {"old unconfined", kNone, "unconfined", false},
        {"the new one wins", Profile::Unconfined, "runtime/default", false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        if (row.type != kNone) t.security().mutable_seccomp()->set_profile_type(row.type);
        t.security().set_seccomp_profile_path(row.path);
        EXPECT_EQ(!t.good_plan().process.seccomp.filter.empty(), row.filtered);
    }
}

TEST(Seccomp, IsTheFilterOfTheContainersCapabilities) {
    TestRequest t;
    t.security().mutable_seccomp();
    EXPECT_EQ(t.good_plan().process.seccomp.filter, default_seccomp(kDefault).value_or("none"));
    SeccompCache cache;
    ContainerRequest request = t.request();
    request.seccomp_cache = &cache;
    auto plan = plan_container(request, t.facts);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->process.seccomp.filter, default_seccomp(kDefault).value_or("none"));
}

TEST(Seccomp, CompilesALocalProfileThatTheCallerRead) {
    TestRequest t;
    t.security().mutable_seccomp()->set_profile_type(Profile::Localhost);
    t.security().mutable_seccomp()->set_localhost_ref("/var/lib/kubelet/seccomp/a.json");
    EXPECT_EQ(localhost_seccomp(t.config).value_or(""), "/var/lib/kubelet/seccomp/a.json");
    expect_error(t.plan(), Kind::Unimplemented, "/var/lib/kubelet/seccomp/a.json");
    t.seccomp_profile = R"({"defaultAction": "SCMP_ACT_ALLOW"})";
    EXPECT_FALSE(t.good_plan().process.seccomp.filter.empty());
    t.seccomp_profile = "nonsense";
    expect_error(t.plan(), Kind::Invalid, "/var/lib/kubelet/seccomp/a.json: seccomp profile");
}

TEST(Seccomp, FindsTheLocalProfileOfEveryForm) {
    TestRequest t;
    EXPECT_EQ(localhost_seccomp(t.config).value_or("error"), "");
    t.security().set_seccomp_profile_path("localhost//p/old.json");
    EXPECT_EQ(localhost_seccomp(t.config).value_or("error"), "/p/old.json");
    t.security().mutable_seccomp()->set_profile_type(Profile::Localhost);
    t.security().mutable_seccomp()->set_localhost_ref("localhost//p/new.json");
    EXPECT_EQ(localhost_seccomp(t.config).value_or("error"), "/p/new.json");
    t.security().set_privileged(true);
    EXPECT_EQ(localhost_seccomp(t.config).value_or("error"), "");
}

TEST(Seccomp, RefusesBadRequests) {
    TestRequest t;
    t.security().set_seccomp_profile_path("somewhere");
    expect_error(t.plan(), Kind::Invalid, "seccomp_profile_path: \"somewhere\"");
    t.security().mutable_seccomp()->set_localhost_ref("/p");
    expect_error(t.plan(), Kind::Invalid, "seccomp.localhost_ref");
    t.security().mutable_seccomp()->set_profile_type(Profile::Localhost);
    t.security().mutable_seccomp()->set_localhost_ref("relative.json");
    expect_error(t.plan(), Kind::Invalid, "seccomp.localhost_ref");
    t.security().mutable_seccomp()->set_localhost_ref("");
    expect_error(t.plan(), Kind::Invalid, "seccomp.localhost_ref");
}

TEST(AppArmor, IsAProfileByNameOrNone) {
    TestRequest t;
    t.security().mutable_apparmor();
    EXPECT_EQ(t.plan()->process.apparmor_profile, "");
    t.security().mutable_apparmor()->set_profile_type(Profile::Localhost);
    t.security().mutable_apparmor()->set_localhost_ref("strict");
    EXPECT_EQ(t.plan()->process.apparmor_profile, "strict");
    t.security().mutable_apparmor()->set_localhost_ref("localhost/prefixed");
    t.security().set_apparmor_profile("localhost/old");
    EXPECT_EQ(t.plan()->process.apparmor_profile, "prefixed") << "the new field wins";
    t.security().clear_apparmor();
    EXPECT_EQ(t.plan()->process.apparmor_profile, "old");
    t.security().set_apparmor_profile("runtime/default");
    EXPECT_EQ(t.plan()->process.apparmor_profile, "");
    t.security().set_apparmor_profile("localhost/two\nlines");
    expect_error(t.plan(), Kind::Invalid, "apparmor");
}

TEST(SeLinux, IsIgnoredWhereThereIsNone) {
    TestRequest t;
    t.security().mutable_selinux_options()->set_level("s0:c1,c2");
    EXPECT_TRUE(t.plan().ok());
}

TEST(Privileged, NeedsAPrivilegedSandbox) {
    TestRequest t;
    t.security().set_privileged(true);
    expect_error(t.plan(), Kind::Invalid, "privileged");
}

TEST(Privileged, LiftsMasksAndFilters) {
    TestRequest t;
    t.security().add_masked_paths("/proc/kcore");
    t.security().add_readonly_paths("/proc/sys/");
    t.security().mutable_seccomp();
    auto plan = t.good_plan();
    EXPECT_THAT(plan.masked_paths, ElementsAre("/proc/kcore"));
    EXPECT_THAT(plan.readonly_paths, ElementsAre("/proc/sys"));
    EXPECT_FALSE(plan.process.seccomp.filter.empty());
    EXPECT_EQ(plan.cgroup_namespace.from, launch::NsFrom::New);
    t.make_privileged();
    plan = t.good_plan();
    EXPECT_THAT(plan.masked_paths, IsEmpty());
    EXPECT_THAT(plan.readonly_paths, IsEmpty());
    EXPECT_EQ(plan.process.seccomp.filter, "");
    EXPECT_EQ(plan.cgroup_namespace.from, launch::NsFrom::Host);
    t.facts.cgroup_v2 = false;
    EXPECT_EQ(t.good_plan().cgroup_namespace.from, launch::NsFrom::New);
}

TEST(MaskedPaths, AreExactlyTheRequestedOnes) {
    TestRequest t;
    EXPECT_THAT(t.good_plan().masked_paths, IsEmpty());
    t.security().add_masked_paths("proc/kcore");
    expect_error(t.plan(), Kind::Invalid, "masked_paths[0]");
}

}  // namespace
}  // namespace orlop::plan
