#include "agent/decide/qos.h"

#include <gtest/gtest.h>

#include "agent/decide/admission.h"

namespace orlop::agent {
namespace {

kube::Quantity q(const char* text) {
    return *kube::Quantity::parse(text);
}

kube::Pod pod_of(const kube::Resources& resources) {
    kube::Pod pod;
    pod.spec.containers.resize(1);
    pod.spec.containers[0].resources = resources;
    return pod;
}

const kube::Resources kGuaranteed{{{"cpu", q("500m")}, {"memory", q("64Mi")}},
                                  {{"cpu", q("500m")}, {"memory", q("64Mi")}}};
const kube::Resources kBurstable{{}, {{"memory", q("1Gi")}, {"cpu", q("100m")}}};

TEST(Qos, ClassesFollowRequestsAndLimits) {
    EXPECT_EQ(qos_class(pod_of({})), QosClass::BestEffort);
    EXPECT_EQ(qos_class(pod_of(kGuaranteed)), QosClass::Guaranteed);
    EXPECT_EQ(qos_class(pod_of(kBurstable)), QosClass::Burstable);
    kube::Pod mixed = pod_of(kGuaranteed);
    mixed.spec.init_containers.resize(1);
    EXPECT_EQ(qos_class(mixed), QosClass::Burstable);
}

TEST(Qos, SharesAndQuotaAreTheKubelets) {
    EXPECT_EQ(shares_from_milli(0), 2u);
    EXPECT_EQ(shares_from_milli(1), 2u);
    EXPECT_EQ(shares_from_milli(500), 512u);
    EXPECT_EQ(shares_from_milli(INT64_MAX), 262144u);
    EXPECT_EQ(quota_from_milli(0, 100000), 0);
    EXPECT_EQ(quota_from_milli(1, 100000), 1000);
    EXPECT_EQ(quota_from_milli(1500, 100000), 150000);
}

TEST(Qos, OomScoresAreTheKubelets) {
    const int64_t capacity = 4LL << 30;
    const auto score = [&](const kube::Pod& pod) {
        return oom_score_adj(pod, pod.spec.containers[0], capacity);
    };
    EXPECT_EQ(score(pod_of(kGuaranteed)), -997);
    EXPECT_EQ(score(pod_of({})), 1000);
    EXPECT_EQ(score(pod_of(kBurstable)), 750);
    EXPECT_EQ(score(pod_of({{}, {{"memory", q("1")}}})), 999);
    EXPECT_EQ(score(pod_of({{}, {{"memory", q("4Gi")}}})), 3);
    kube::Pod critical = pod_of({});
    critical.spec.priority_class = "system-node-critical";
    EXPECT_EQ(score(critical), -997);
}

TEST(Qos, ThePodsCgroupIsLimitedOnlyIfAllContainersAre) {
    kube::Pod pod = pod_of(kGuaranteed);
    pod.spec.containers.push_back(pod.spec.containers[0]);
    auto r = pod_cgroup_resources(pod, {}, 50);
    EXPECT_EQ(r.cpu_shares, 1024u);
    EXPECT_EQ(r.cpu_quota_us, 100000);
    EXPECT_EQ(r.memory_limit, 128 << 20);
    EXPECT_EQ(r.pids_limit, 50);
    pod.spec.containers[1].resources.limits.clear();
    r = pod_cgroup_resources(pod, {}, -1);
    EXPECT_FALSE(r.cpu_quota_us);
    EXPECT_FALSE(r.memory_limit);
    EXPECT_FALSE(r.pids_limit);
}

TEST(Qos, InitContainersCountByTheirLargestMoment) {
    kube::Pod pod = pod_of({{}, {{"cpu", q("100m")}}});
    pod.spec.init_containers.resize(2);
    pod.spec.init_containers[0].resources.requests["cpu"] = q("300m");
    pod.spec.init_containers[1].resources.requests["cpu"] = q("50m");
    EXPECT_EQ(pod_cpu_request_milli(pod), 300);
    pod.spec.init_containers[0].restart_policy = kube::ContainerRestartPolicy::Always;
    EXPECT_EQ(pod_cpu_request_milli(pod), 400);
}

TEST(Qos, PathsAreKubernetesOwn) {
    EXPECT_EQ(pod_cgroup_path("/", QosClass::Guaranteed, "u"), "/kubepods/podu");
    EXPECT_EQ(pod_cgroup_path("/", QosClass::Burstable, "u"), "/kubepods/burstable/podu");
    EXPECT_EQ(pod_cgroup_path("/x", QosClass::BestEffort, "u"), "/x/kubepods/besteffort/podu");
}

TEST(Admission, PodsThatCannotRunAreRejectedWithAReason) {
    kube::Pod pod = pod_of({});
    EXPECT_FALSE(reject(pod, {}, 5, {}));
    EXPECT_EQ(reject(pod, {}, 110, {})->reason, "OutOfpods");
    EXPECT_EQ(reject(pod, {{"spec.x", "not supported yet"}}, 0, {})->message, "spec.x: not supported yet");
    pod.spec.security.emplace().sysctls = {{"net.core.somaxconn", "1"}};
    EXPECT_EQ(reject(pod, {}, 0, {})->reason, "SysctlForbidden");
    EXPECT_FALSE(reject(pod, {}, 0, {110, {"net.core.*"}}));
    pod.spec.security->sysctls = {{"net/ipv4/tcp_syncookies", "1"}};
    EXPECT_FALSE(reject(pod, {}, 0, {}));
    pod.spec.other["os"] = {{"name", "windows"}};
    EXPECT_EQ(reject(pod, {}, 0, {})->reason, "PodOSNotSupported");
}

}  // namespace
}  // namespace orlop::agent
