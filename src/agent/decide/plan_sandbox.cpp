#include "agent/decide/labels.h"
#include "agent/decide/plan.h"
#include "cgroups/driver.h"

namespace orlop::agent {

namespace {

cri::Protocol protocol_of(kube::Protocol protocol) {
    switch (protocol) {
        case kube::Protocol::Udp:
            return cri::UDP;
        case kube::Protocol::Sctp:
            return cri::SCTP;
        case kube::Protocol::Tcp:
            break;
    }
    return cri::TCP;
}

// The systemd driver wants the path with the names of slices in it.
Result<std::string> cgroup_parent(const kube::Pod& pod, const NodeFacts& node) {
    if (!node.cgroups_per_qos) return std::string();
    const std::string path = pod_cgroup_path(node.cgroup_root, qos_class(pod), pod.meta.uid);
    if (!node.systemd_cgroups) return path;
    return cgroups::slice_path_from_unit(TRY(cgroups::slice_unit_from_path(path)));
}

void plan_ports(const kube::Pod& pod, cri::PodSandboxConfig& out) {
    if (pod.spec.host_network) return;
    for (const auto* list : {&pod.spec.init_containers, &pod.spec.containers}) {
        for (const kube::Container& c : *list) {
            for (const kube::ContainerPort& port : c.ports) {
                cri::PortMapping& mapping = *out.add_port_mappings();
                mapping.set_protocol(protocol_of(port.protocol));
                mapping.set_container_port(port.container_port);
                mapping.set_host_port(port.host_port);
                mapping.set_host_ip(port.host_ip);
            }
        }
    }
}

void plan_identity(const kube::Pod& pod, uint32_t attempt, cri::PodSandboxConfig& out) {
    cri::PodSandboxMetadata& metadata = *out.mutable_metadata();
    metadata.set_name(pod.meta.name);
    metadata.set_namespace_(pod.meta.ns);
    metadata.set_uid(pod.meta.uid);
    metadata.set_attempt(attempt);
    auto& labels = *out.mutable_labels();
    for (const auto& [key, value] : pod.meta.labels) labels[key] = value;
    labels[labels::kPodName] = pod.meta.name;
    labels[labels::kPodNamespace] = pod.meta.ns;
    labels[labels::kPodUid] = pod.meta.uid;
    auto& annotations = *out.mutable_annotations();
    for (const auto& [key, value] : pod.meta.annotations) annotations[key] = value;
    annotations[labels::kGrace] = std::to_string(pod.spec.grace());
}

}  // namespace

Result<cri::PodSandboxConfig> plan_sandbox(const kube::Pod& pod, uint32_t attempt, const NodeFacts& node) {
    cri::PodSandboxConfig out;
    plan_identity(pod, attempt, out);
    if (!pod.spec.host_network) out.set_hostname(pod_hostname(pod, node));
    out.set_log_directory(node.paths.log_dir(pod.meta));
    const Resolver resolver = pod_resolver(pod, node);
    cri::DNSConfig& dns = *out.mutable_dns_config();
    for (const std::string& each : resolver.servers) dns.add_servers(each);
    for (const std::string& each : resolver.searches) dns.add_searches(each);
    for (const std::string& each : resolver.options) dns.add_options(each);
    plan_ports(pod, out);
    cri::LinuxPodSandboxConfig& linux = *out.mutable_linux();
    linux.set_cgroup_parent(TRY(cgroup_parent(pod, node)));
    plan_sandbox_security(pod, node, *linux.mutable_security_context());
    if (pod.spec.security) {
        for (const kube::Sysctl& s : pod.spec.security->sysctls) (*linux.mutable_sysctls())[s.name] = s.value;
    }
    const cgroups::Resources total = pod_cgroup_resources(pod, node.cpu, node.pids_limit);
    cri::LinuxContainerResources& resources = *linux.mutable_resources();
    resources.set_cpu_shares(static_cast<int64_t>(total.cpu_shares.value_or(2)));
    resources.set_cpu_quota(total.cpu_quota_us.value_or(0));
    resources.set_cpu_period(static_cast<int64_t>(total.cpu_period_us.value_or(0)));
    resources.set_memory_limit_in_bytes(total.memory_limit.value_or(0));
    return out;
}

}  // namespace orlop::agent
