#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

using launch::NsFrom;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

cri::NamespaceOption& pod_options(TestRequest& t) {
    return *t.pod_security().mutable_namespace_options();
}

cri::NamespaceOption& own_options(TestRequest& t) {
    return *t.security().mutable_namespace_options();
}

launch::PausePlan pause_of(TestRequest& t) {
    auto plan = plan_pause("s1", t.sandbox, t.sandbox_paths.netns, t.facts);
    EXPECT_TRUE(plan.ok()) << (plan ? "" : plan.error().what());
    return plan.value_or({});
}

TEST(Pause, HoldsThePodsNamespaces) {
    TestRequest t;
    const auto plan = pause_of(t);
    EXPECT_EQ(plan.id, "s1");
    EXPECT_EQ(plan.pid.from, NsFrom::New);
    EXPECT_EQ(plan.ipc.from, NsFrom::New);
    EXPECT_EQ(plan.uts.from, NsFrom::New);
    EXPECT_EQ(plan.net.from, NsFrom::Path);
    EXPECT_EQ(plan.net.path, "/run/netns/pod");
    EXPECT_EQ(plan.hostname, "pod-1");
    EXPECT_EQ(plan.oom_score_adj, -998);
}

TEST(Pause, NeverRenamesTheHost) {
    TestRequest t;
    pod_options(t).set_network(cri::NODE);
    const auto plan = pause_of(t);
    EXPECT_EQ(plan.net.from, NsFrom::Host);
    EXPECT_EQ(plan.uts.from, NsFrom::Host);
    EXPECT_EQ(plan.hostname, "");
    EXPECT_THAT(plan.sysctls, IsEmpty());
}

TEST(Pause, SharesWithTheHostWhatThePodShares) {
    TestRequest t;
    pod_options(t).set_pid(cri::NODE);
    pod_options(t).set_ipc(cri::NODE);
    t.facts.can_lower_oom_score = false;
    const auto plan = pause_of(t);
    EXPECT_EQ(plan.pid.from, NsFrom::Host);
    EXPECT_EQ(plan.ipc.from, NsFrom::Host);
    EXPECT_EQ(plan.oom_score_adj, std::nullopt);
    pod_options(t).set_pid(cri::CONTAINER);
    EXPECT_EQ(pause_of(t).pid.from, NsFrom::Host);
}

TEST(Pause, NeedsANetworkNamespace) {
    TestRequest t;
    expect_error(plan_pause("s1", t.sandbox, "", t.facts), Kind::Invalid, "network namespace");
}

TEST(Sysctls, AreThePodsAndThenTheUsualOnes) {
    TestRequest t;
    auto& sysctls = *t.sandbox.mutable_linux()->mutable_sysctls();
    sysctls["net.ipv4.ip_unprivileged_port_start"] = "1024";
    sysctls["kernel.shm_rmid_forced"] = "1";
    sysctls["fs.mqueue.msg_max"] = "100";
    EXPECT_THAT(pause_of(t).sysctls,
                ElementsAre(Pair("fs.mqueue.msg_max", "100"), Pair("kernel.shm_rmid_forced", "1"),
                            Pair("net.ipv4.ip_unprivileged_port_start", "1024"),
                            Pair("net.ipv4.ping_group_range", "0 2147483647")));
}

TEST(Sysctls, AreRefusedWhenTheyReachBeyondThePod) {
    const struct {
        const char* name;
        const char* key;
        const char* value;
        cri::NamespaceMode network, ipc;
    } rows[] = {
        {"not namespaced", "kernel.core_pattern", "core", cri::POD, cri::POD},
        {"virtual memory", "vm.overcommit_memory", "1", cri::POD, cri::POD},
        {"the host's network", "net.core.somaxconn", "1", cri::NODE, cri::POD},
        {"the host's IPC", "kernel.shmmax", "1", cri::POD, cri::NODE},
        {"a path", "net/../kernel/core_pattern", "1", cri::POD, cri::POD},
        {"slashes", "net/core/somaxconn", "1", cri::POD, cri::POD},
        {"parent steps", "net..core", "1", cri::POD, cri::POD},
        {"a second one in the value", "kernel.shm_rmid_forced", "1+kernel.core_pattern=x", cri::POD,
         cri::POD},
        {"a newline in the value", "kernel.shm_rmid_forced", "1\n2", cri::POD, cri::POD},
        {"no value", "kernel.shm_rmid_forced", "", cri::POD, cri::POD},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        pod_options(t).set_network(row.network);
        pod_options(t).set_ipc(row.ipc);
        (*t.sandbox.mutable_linux()->mutable_sysctls())[row.key] = row.value;
        expect_error(check_sandbox(t.sandbox), Kind::Invalid, "linux.sysctls");
    }
}

TEST(Sandbox, IsAccepted) {
    TestRequest t;
    t.sandbox.set_log_directory("/var/log/pods/default_pod_u-1");
    t.sandbox.mutable_linux()->set_cgroup_parent("/kubepods/pod1");
    auto& port = *t.sandbox.add_port_mappings();
    port.set_container_port(80);
    port.set_host_port(8080);
    port.set_host_ip("::1");
    EXPECT_TRUE(check_sandbox(t.sandbox).ok());
    t.sandbox.clear_hostname();
    EXPECT_TRUE(check_sandbox(t.sandbox).ok());
}

TEST(Sandbox, IsRefusedByField) {
    const struct {
        const char* name;
        void (*bend)(TestRequest&);
        Kind kind;
        const char* words;
    } rows[] = {
        {"no name", [](TestRequest& t) { t.sandbox.mutable_metadata()->clear_name(); }, Kind::Invalid,
         "metadata.name"},
        {"no uid", [](TestRequest& t) { t.sandbox.mutable_metadata()->clear_uid(); }, Kind::Invalid,
         "metadata.uid"},
        {"a newline in the namespace",
         [](TestRequest& t) { t.sandbox.mutable_metadata()->set_namespace_("a\nb"); }, Kind::Invalid,
         "metadata.namespace"},
        {"a newline in the hostname", [](TestRequest& t) { t.sandbox.set_hostname("a\nb"); }, Kind::Invalid,
         "hostname"},
        {"an empty label", [](TestRequest& t) { t.sandbox.set_hostname("a..b"); }, Kind::Invalid, "hostname"},
        {"a trailing dash", [](TestRequest& t) { t.sandbox.set_hostname("a-"); }, Kind::Invalid, "hostname"},
        {"a long hostname", [](TestRequest& t) { t.sandbox.set_hostname(std::string(65, 'a')); },
         Kind::Invalid, "hostname"},
        {"relative logs", [](TestRequest& t) { t.sandbox.set_log_directory("logs"); }, Kind::Invalid,
         "log_directory"},
        {"logs elsewhere", [](TestRequest& t) { t.sandbox.set_log_directory("/var/log/../../etc"); },
         Kind::Invalid, "log_directory"},
        {"a parent elsewhere",
         [](TestRequest& t) { t.sandbox.mutable_linux()->set_cgroup_parent("/a/../.."); }, Kind::Invalid,
         "cgroup_parent"},
        {"no port", [](TestRequest& t) { t.sandbox.add_port_mappings(); }, Kind::Invalid,
         "port_mappings[0].container_port"},
        {"a host port out of range",
         [](TestRequest& t) {
             t.sandbox.add_port_mappings()->set_container_port(80);
             t.sandbox.mutable_port_mappings(0)->set_host_port(65536);
         },
         Kind::Invalid, "port_mappings[0].host_port"},
        {"no address",
         [](TestRequest& t) {
             t.sandbox.add_port_mappings()->set_container_port(80);
             t.sandbox.mutable_port_mappings(0)->set_host_ip("localhost");
         },
         Kind::Invalid, "port_mappings[0].host_ip"},
        {"a line for resolv.conf",
         [](TestRequest& t) { t.sandbox.mutable_dns_config()->add_searches("a\nnameserver 6.6.6.6"); },
         Kind::Invalid, "dns_config.searches"},
        {"a container's network", [](TestRequest& t) { pod_options(t).set_network(cri::CONTAINER); },
         Kind::Invalid, "namespace_options.network"},
        {"a target for a pod", [](TestRequest& t) { pod_options(t).set_pid(cri::TARGET); }, Kind::Invalid,
         "namespace_options.pid"},
        {"a group without a user",
         [](TestRequest& t) { t.pod_security().mutable_run_as_group()->set_value(1); }, Kind::Invalid,
         "run_as_group"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        row.bend(t);
        expect_error(check_sandbox(t.sandbox), row.kind, row.words);
    }
}

TEST(Namespaces, AreThePods) {
    TestRequest t;
    const auto plan = t.good_plan();
    EXPECT_EQ(plan.pid.from, NsFrom::Sandbox);
    EXPECT_EQ(plan.ipc.from, NsFrom::Sandbox);
    EXPECT_EQ(plan.uts.from, NsFrom::Sandbox);
    EXPECT_EQ(plan.net.from, NsFrom::Path);
    EXPECT_EQ(plan.net.path, "/run/netns/pod");
    EXPECT_EQ(plan.hostname, "");
}

TEST(Namespaces, AreTheHostsWhenThePodsAre) {
    TestRequest t;
    pod_options(t).set_network(cri::NODE);
    pod_options(t).set_ipc(cri::NODE);
    t.sandbox_paths.netns.clear();
    const auto plan = t.good_plan();
    EXPECT_EQ(plan.ipc.from, NsFrom::Host);
    EXPECT_EQ(plan.uts.from, NsFrom::Host);
    EXPECT_EQ(plan.net.from, NsFrom::Host);
}

TEST(Namespaces, AreNotTheHostsByAccident) {
    TestRequest t;
    t.sandbox_paths.netns.clear();
    expect_error(t.plan(), Kind::Invalid, "network namespace");
}

TEST(Namespaces, OfProcessesFollowContainerAndPod) {
    const struct {
        const char* name;
        cri::NamespaceMode pod, container;
        NsFrom expected;
    } rows[] = {
        {"shared", cri::POD, cri::POD, NsFrom::Sandbox},
        {"own", cri::CONTAINER, cri::CONTAINER, NsFrom::New},
        {"own in a sharing pod", cri::POD, cri::CONTAINER, NsFrom::New},
        {"the pod's mode when nothing is said", cri::CONTAINER, cri::POD, NsFrom::New},
        {"the host's", cri::NODE, cri::NODE, NsFrom::Host},
        {"the pod's, which is the host's", cri::NODE, cri::POD, NsFrom::Host},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        pod_options(t).set_pid(row.pod);
        own_options(t).set_pid(row.container);
        EXPECT_EQ(t.good_plan().pid.from, row.expected);
    }
}

TEST(Namespaces, OfAnotherContainerAreLeftToTheStart) {
    TestRequest t;
    EXPECT_EQ(pid_target(t.config), "");
    own_options(t).set_pid(cri::TARGET);
    own_options(t).set_target_id("c0");
    const auto plan = t.good_plan();
    EXPECT_EQ(plan.pid.from, NsFrom::Path);
    EXPECT_EQ(plan.pid.path, "");
    EXPECT_EQ(pid_target(t.config), "c0");
}

TEST(Namespaces, AreRefusedWhenTheContainerWantsMoreThanItsPod) {
    const struct {
        const char* name;
        void (*bend)(TestRequest&);
        Kind kind;
        const char* words;
    } rows[] = {
        {"the host's processes", [](TestRequest& t) { own_options(t).set_pid(cri::NODE); }, Kind::Invalid,
         "namespace_options.pid: NODE"},
        {"the host's network", [](TestRequest& t) { own_options(t).set_network(cri::NODE); }, Kind::Invalid,
         "namespace_options.network: NODE"},
        {"the host's IPC", [](TestRequest& t) { own_options(t).set_ipc(cri::NODE); }, Kind::Invalid,
         "namespace_options.ipc: NODE"},
        {"a network for itself", [](TestRequest& t) { own_options(t).set_network(cri::CONTAINER); },
         Kind::Invalid, "namespace_options.network: CONTAINER"},
        {"nobody's processes", [](TestRequest& t) { own_options(t).set_pid(cri::TARGET); }, Kind::Invalid,
         "namespace_options.pid: TARGET: target_id is empty"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        row.bend(t);
        expect_error(t.plan(), row.kind, row.words);
    }
}

}  // namespace
}  // namespace orlop::plan
