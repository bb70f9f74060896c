#include "agent/decide/plan.h"

#include <gtest/gtest.h>

#include "agent/decide/labels.h"
#include "kube/pod_read.h"

namespace orlop::agent {
namespace {

kube::Pod read(const std::string& spec) {
    auto pods = kube::read_pods(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns, uid: u1, labels: {app: x}}\nspec:\n" +
        spec);
    EXPECT_TRUE(pods) << (pods ? "" : pods.error().what());
    return pods ? (*pods)[0].pod : kube::Pod();
}

NodeFacts node_facts() {
    NodeFacts node;
    node.node_name = "node1";
    node.host_ip = "192.0.2.1";
    node.memory_capacity = 1 << 30;
    node.cpu_milli = 2000;
    node.host_resolver = {{"9.9.9.9"}, {"example.org"}, {"edns0"}};
    return node;
}

const char* kPod = R"yaml(
  containers:
  - name: c
    image: i:1
    command: ["$(A)", "$$(A)", "$(NONE)"]
    args: ["$(B)-x"]
    env:
    - {name: A, value: one}
    - {name: B, value: "$(A)-two-$(LATER)"}
    - {name: LATER, value: x}
    - {name: A, value: uno}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    ports: [{containerPort: 80, hostPort: 8080, protocol: UDP}]
    resources: {limits: {memory: 64Mi}, requests: {cpu: 250m}}
    volumeMounts:
    - {name: e, mountPath: /e}
    - {name: h, mountPath: /h, readOnly: true, mountPropagation: HostToContainer}
  volumes: [{name: e, emptyDir: {}}, {name: h, hostPath: {path: /srv}}]
)yaml";

TEST(ContainerPlan, EnvironmentAndCommandsAreExpanded) {
    const kube::Pod pod = read(kPod);
    const auto config =
        plan_container(pod, pod.spec.containers[0], {2, {"10.0.0.5"}, "sha256:1", {}, ""}, node_facts());
    ASSERT_TRUE(config) << config.error().what();
    std::string env;
    for (const auto& each : config->envs()) env += each.key() + "=" + each.value() + " ";
    EXPECT_EQ(env, "A=uno B=one-two-$(LATER) LATER=x IP=10.0.0.5 LABEL=x NODE=node1 MEM=64 CPU=2 ");
    EXPECT_EQ(config->command(0), "uno");
    EXPECT_EQ(config->command(1), "$(A)");
    EXPECT_EQ(config->command(2), "$(NONE)");
    EXPECT_EQ(config->args(0), "one-two-$(LATER)-x");
}

TEST(ContainerPlan, MountsLabelsAndLogsAreTheKubelets) {
    const kube::Pod pod = read(kPod);
    const auto config =
        plan_container(pod, pod.spec.containers[0], {2, {}, "sha256:1", {}, ""}, node_facts());
    ASSERT_TRUE(config);
    std::string mounts;
    for (const auto& m : config->mounts())
        mounts += m.container_path() + "<" + m.host_path() + (m.readonly() ? " ro" : "") + "\n";
    EXPECT_EQ(mounts,
              "/e</var/lib/kubelet/pods/u1/volumes/kubernetes.io~empty-dir/e\n/h</srv ro\n"
              "/etc/hosts</var/lib/kubelet/pods/u1/etc-hosts\n"
              "/dev/termination-log</var/lib/kubelet/pods/u1/containers/c/2\n");
    EXPECT_EQ(config->mounts(1).propagation(), cri::PROPAGATION_HOST_TO_CONTAINER);
    EXPECT_EQ(config->log_path(), "c/2.log");
    EXPECT_EQ(config->labels().at(labels::kPodUid), "u1");
    EXPECT_EQ(config->annotations().at(labels::kRestartCount), "2");
    EXPECT_EQ(config->annotations().at(labels::kHash), pod.spec.containers[0].hash);
    const auto& resources = config->linux().resources();
    EXPECT_EQ(resources.cpu_shares(), 256);
    EXPECT_EQ(resources.cpu_quota(), 0);
    EXPECT_EQ(resources.memory_limit_in_bytes(), 64 << 20);
    EXPECT_EQ(resources.oom_score_adj(), 938);
    EXPECT_TRUE(resources.unified().empty());
}

TEST(ContainerPlan, OnVersionTwoSwapIsOffAndAnOomKillsAll) {
    NodeFacts node = node_facts();
    node.unified_cgroups = true;
    const kube::Pod pod = read(kPod);
    cri::LinuxContainerResources out;
    plan_resources(pod, pod.spec.containers[0], node, out);
    EXPECT_EQ(out.memory_swap_limit_in_bytes(), 64 << 20);
    EXPECT_EQ(out.unified().at("memory.oom.group"), "1");
}

TEST(ContainerPlan, SecurityOfTheContainerWinsOverThePods) {
    const kube::Pod pod = read(R"(
  shareProcessNamespace: true
  securityContext: {runAsUser: 1000, runAsGroup: 7, fsGroup: 5, supplementalGroups: [6], seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: c
    image: i:1
    securityContext: {runAsUser: 1, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false,
      capabilities: {add: [NET_ADMIN], drop: [ALL]}, seccompProfile: {type: Localhost, localhostProfile: a.json}}
)");
    cri::LinuxContainerSecurityContext out;
    ASSERT_TRUE(plan_security(pod, pod.spec.containers[0], {}, node_facts(), out));
    EXPECT_EQ(out.run_as_user().value(), 1);
    EXPECT_EQ(out.run_as_group().value(), 7);
    EXPECT_EQ(out.supplemental_groups_size(), 2);
    EXPECT_TRUE(out.no_new_privs());
    EXPECT_TRUE(out.readonly_rootfs());
    EXPECT_EQ(out.capabilities().drop_capabilities(0), "ALL");
    EXPECT_EQ(out.seccomp().localhost_ref(), "/var/lib/kubelet/seccomp/a.json");
    EXPECT_EQ(out.namespace_options().pid(), cri::POD);
    EXPECT_GT(out.masked_paths_size(), 5);
}

TEST(ContainerPlan, APrivilegedContainerHasNothingMasked) {
    const kube::Pod pod =
        read("  containers: [{name: c, image: 'i:1', securityContext: {privileged: true}}]");
    cri::LinuxContainerSecurityContext out;
    ASSERT_TRUE(plan_security(pod, pod.spec.containers[0], {}, node_facts(), out));
    EXPECT_TRUE(out.privileged());
    EXPECT_EQ(out.masked_paths_size() + out.readonly_paths_size(), 0);
    EXPECT_EQ(out.seccomp().profile_type(), cri::SecurityProfile::Unconfined);
    EXPECT_EQ(out.namespace_options().pid(), cri::CONTAINER);
    cri::LinuxSandboxSecurityContext sandbox;
    plan_sandbox_security(pod, node_facts(), sandbox);
    EXPECT_TRUE(sandbox.privileged());
}

TEST(ContainerPlan, RunAsNonRootIsCheckedAgainstTheImage) {
    const kube::Pod pod =
        read("  containers: [{name: c, image: 'i:1', securityContext: {runAsNonRoot: true}}]");
    struct Row {
        std::optional<int64_t> uid;
        std::string user;
        bool good;
    };
    for (const Row& row : {Row{5, "", true}, Row{0, "", false}, Row{{}, "web", false}, Row{{}, "", false}}) {
        cri::LinuxContainerSecurityContext out;
        const ContainerFacts facts{0, {}, "x", row.uid, row.user};
        const auto planned = plan_security(pod, pod.spec.containers[0], facts, node_facts(), out);
        EXPECT_EQ(planned.ok(), row.good) << row.user;
        if (!planned) {
            EXPECT_EQ(planned.error().kind(), Kind::Precondition);
        }
    }
}

TEST(SandboxPlan, IdentityNetworkAndCgroup) {
    const kube::Pod pod = read(kPod);
    auto config = plan_sandbox(pod, 3, node_facts());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->metadata().attempt(), 3u);
    EXPECT_EQ(config->hostname(), "p");
    EXPECT_EQ(config->log_directory(), "/var/log/pods/ns_p_u1");
    EXPECT_EQ(config->linux().cgroup_parent(), "/kubepods/burstable/podu1");
    EXPECT_EQ(config->port_mappings(0).host_port(), 8080);
    EXPECT_EQ(config->port_mappings(0).protocol(), cri::UDP);
    EXPECT_EQ(config->labels().at("app"), "x");
    EXPECT_EQ(config->dns_config().servers(0), "9.9.9.9");
    EXPECT_EQ(config->linux().security_context().namespace_options().network(), cri::POD);
    NodeFacts systemd = node_facts();
    systemd.systemd_cgroups = true;
    config = plan_sandbox(pod, 0, systemd);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->linux().cgroup_parent(),
              "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podu1.slice");
}

TEST(SandboxPlan, TheHostsNetworkHasNoHostnameAndNoPorts) {
    const kube::Pod pod =
        read("  hostNetwork: true\n  containers: [{name: c, image: i, ports: [{containerPort: 80}]}]");
    const auto config = plan_sandbox(pod, 0, node_facts());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->hostname(), "");
    EXPECT_EQ(config->port_mappings_size(), 0);
    EXPECT_EQ(config->linux().security_context().namespace_options().network(), cri::NODE);
}

TEST(Names, ResolversFollowThePolicy) {
    NodeFacts node = node_facts();
    kube::Pod pod = read("  containers: [{name: c, image: i}]");
    EXPECT_EQ(pod_resolver(pod, node), node.host_resolver);
    node.cluster_dns = {"10.96.0.10"};
    node.cluster_domain = "cluster.local";
    const Resolver cluster = pod_resolver(pod, node);
    EXPECT_EQ(cluster.servers, node.cluster_dns);
    EXPECT_EQ(cluster.searches, (std::vector<std::string>{"ns.svc.cluster.local", "svc.cluster.local",
                                                          "cluster.local", "example.org"}));
    EXPECT_EQ(cluster.options, std::vector<std::string>{"ndots:5"});
    pod.spec.host_network = true;
    EXPECT_EQ(pod_resolver(pod, node), node.host_resolver);
    pod.spec.dns_policy = kube::DnsPolicy::None;
    pod.spec.dns_config = kube::DnsConfig{{"1.1.1.1"}, {"x"}, {{"ndots", "2"}}};
    EXPECT_EQ(pod_resolver(pod, node), (Resolver{{"1.1.1.1"}, {"x"}, {"ndots:2"}}));
}

TEST(Names, ResolvConfIsRead) {
    const Resolver r =
        parse_resolv_conf("# c\nnameserver 1.2.3.4 # x\nsearch a b\noptions ndots:2 edns0\nnameserver ::1\n");
    EXPECT_EQ(r, (Resolver{{"1.2.3.4", "::1"}, {"a", "b"}, {"ndots:2", "edns0"}}));
}

TEST(Names, HostsFilesAreManaged) {
    kube::Pod pod =
        read("  hostAliases: [{ip: 10.9.9.9, hostnames: [db, db.x]}]\n  containers: [{name: c, image: i}]");
    const std::string text = hosts_file(pod, node_facts(), {"10.0.0.5"}, "");
    EXPECT_TRUE(text.starts_with("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"));
    EXPECT_NE(text.find("10.0.0.5\tp\n"), std::string::npos);
    EXPECT_NE(text.find("10.9.9.9\tdb\tdb.x\n"), std::string::npos);
    pod.spec.host_network = true;
    EXPECT_TRUE(hosts_file(pod, node_facts(), {}, "1.1.1.1 me")
                    .starts_with("# Kubernetes-managed hosts file (host network).\n1.1.1.1 me\n"));
    pod.spec.host_network = false;
    pod.meta.name = std::string(62, 'a') + "-b";
    EXPECT_EQ(pod_hostname(pod, node_facts()), std::string(62, 'a'));
}

}  // namespace
}  // namespace orlop::agent
