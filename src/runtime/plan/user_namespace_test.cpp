#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

using launch::NsFrom;

cri::IDMapping range(uint32_t inside, uint32_t outside, uint32_t size) {
    cri::IDMapping m;
    m.set_container_id(inside);
    m.set_host_id(outside);
    m.set_length(size);
    return m;
}

cri::UserNamespace pod_user(uint32_t outside = 1000, uint32_t size = 100000) {
    cri::UserNamespace user;
    user.set_mode(cri::POD);
    *user.add_uids() = range(0, outside, size);
    *user.add_gids() = range(0, outside + 1, size);
    return user;
}

cri::UserNamespace& of_pod(TestRequest& t) {
    return *t.pod_security().mutable_namespace_options()->mutable_userns_options();
}
cri::UserNamespace& of_container(TestRequest& t) {
    return *t.security().mutable_namespace_options()->mutable_userns_options();
}

TEST(UserNamespace, IsMadeWithThePodsNetwork) {
    TestRequest t;
    of_pod(t) = pod_user();
    const auto pause = plan_pause("s1", t.sandbox, "/run/netns/pod", t.facts);
    ASSERT_TRUE(pause) << pause.error().what();
    EXPECT_EQ(pause->user.from, NsFrom::NetOwner);
    ASSERT_EQ(pause->uid_map.size(), 1u);
    EXPECT_EQ(pause->uid_map[0].outside, 1000u);
    EXPECT_EQ(pause->gid_map[0].outside, 1001u);
    EXPECT_THAT(pause->sysctls, testing::Contains(testing::Pair("net.ipv4.ping_group_range", "0 99999")));
}

TEST(UserNamespace, IsThePausesOwnOnTheHostsNetwork) {
    TestRequest t;
    of_pod(t) = pod_user();
    t.pod_security().mutable_namespace_options()->set_network(cri::NODE);
    const auto pause = plan_pause("s1", t.sandbox, "", t.facts);
    ASSERT_TRUE(pause) << pause.error().what();
    EXPECT_EQ(pause->user.from, NsFrom::New);
}

TEST(UserNamespace, IsThePodsForContainersThatRepeatItOrSayNothing) {
    for (const bool repeated : {false, true}) {
        TestRequest t;
        of_pod(t) = pod_user();
        if (repeated) of_container(t) = pod_user();
        const auto plan = t.good_plan();
        EXPECT_EQ(plan.user.from, NsFrom::Sandbox);
        ASSERT_EQ(plan.uid_map.size(), 1u);
        EXPECT_EQ(plan.uid_map[0].size, 100000u);
    }
}

TEST(UserNamespace, IsTheHostsWithoutOne) {
    TestRequest t;
    of_pod(t).set_mode(cri::NODE);
    of_container(t).set_mode(cri::NODE);
    EXPECT_EQ(t.good_plan().user.from, NsFrom::Host);
    EXPECT_EQ(plan_pause("s1", t.sandbox, "/run/netns/pod", t.facts)->user.from, NsFrom::Host);
}

TEST(UserNamespace, IsRefusedByField) {
    const struct {
        const char* name;
        void (*bend)(cri::UserNamespace&);
        const char* words;
    } rows[] = {
        {"of a container", [](auto& u) { u.set_mode(cri::CONTAINER); }, "userns_options.mode"},
        {"of another", [](auto& u) { u.set_mode(cri::TARGET); }, "userns_options.mode"},
        {"no ranges", [](auto& u) { u.clear_uids(); }, "userns_options.uids: exactly one"},
        {"two ranges", [](auto& u) { *u.add_gids() = range(0, 2000, 1); },
         "userns_options.gids: exactly one"},
        {"no root", [](auto& u) { *u.mutable_uids(0) = range(1, 1000, 10); }, "uids: id 0"},
        {"empty", [](auto& u) { *u.mutable_uids(0) = range(0, 1000, 0); }, "uids: a range of 0"},
        {"too long", [](auto& u) { *u.mutable_gids(0) = range(0, 1000, 4294966296); }, "gids: a range of"},
        {"the host's with ranges", [](auto& u) { u.set_mode(cri::NODE); }, "userns_options.mode: NODE"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        of_pod(t) = pod_user();
        row.bend(of_pod(t));
        expect_error(check_sandbox(t.sandbox), Kind::Invalid, row.words);
    }
}

TEST(UserNamespace, GoesNotWithTheHostsProcessesOrIpc) {
    TestRequest t;
    of_pod(t) = pod_user();
    t.pod_security().mutable_namespace_options()->set_pid(cri::NODE);
    expect_error(check_sandbox(t.sandbox), Kind::Invalid, "userns_options.mode");
    t.pod_security().mutable_namespace_options()->set_pid(cri::POD);
    t.pod_security().mutable_namespace_options()->set_ipc(cri::NODE);
    expect_error(check_sandbox(t.sandbox), Kind::Invalid, "userns_options.mode");
}

TEST(UserNamespace, OfAContainerMustBeThePods) {
    TestRequest t;
    of_container(t) = pod_user();
    expect_error(t.plan(), Kind::Invalid, "not those of the pod");
    of_pod(t) = pod_user(2000);
    expect_error(t.plan(), Kind::Invalid, "not those of the pod");
}

TEST(UserNamespace, NeedsAKernelThatHasIt) {
    TestRequest t;
    of_pod(t) = pod_user();
    t.facts.user_namespaces = false;
    expect_error(t.plan(), Kind::Unimplemented, "user namespaces");
    expect_error(plan_pause("s1", t.sandbox, "/run/netns/pod", t.facts), Kind::Unimplemented,
                 "user namespaces");
}

TEST(UserNamespace, GetsNoDevicesOfTheHostEvenPrivileged) {
    TestRequest t;
    of_pod(t) = pod_user();
    t.make_privileged();
    t.host_devices = {{"/dev/sda", 'b', 8, 0}};
    for (const auto& device : t.good_plan().devices) EXPECT_NE(device.path, "/dev/sda");
}

TEST(UserNamespace, TooSmallForTheTtyGroupDoesWithoutIt) {
    TestRequest t;
    of_pod(t) = pod_user(1000, 5);
    for (const auto& mount : t.good_plan().mounts) {
        if (mount.type == "devpts") {
            EXPECT_THAT(mount.options, testing::Not(testing::Contains(testing::Pair("gid", "5"))));
        }
    }
}

}  // namespace
}  // namespace orlop::plan
