#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/decide/labels.h"
#include "agent/decide/plan.h"

namespace orlop::agent {

namespace {

cri::MountPropagation propagation_of(kube::MountPropagation propagation) {
    switch (propagation) {
        case kube::MountPropagation::HostToContainer:
            return cri::PROPAGATION_HOST_TO_CONTAINER;
        case kube::MountPropagation::Bidirectional:
            return cri::PROPAGATION_BIDIRECTIONAL;
        case kube::MountPropagation::None:
            break;
    }
    return cri::PROPAGATION_PRIVATE;
}

Result<std::string> volume_source(const kube::Pod& pod, const std::string& name, const NodeFacts& node) {
    for (const kube::Volume& volume : pod.spec.volumes) {
        if (volume.name != name) continue;
        return volume.host_path ? volume.host_path->path : node.paths.empty_dir(pod.meta.uid, name);
    }
    return Error::invalid("no volume '" + name + "'");
}

Status plan_mounts(const kube::Pod& pod, const kube::Container& c, uint32_t restarts, const NodeFacts& node,
                   cri::ContainerConfig& out) {
    bool own_hosts = false;
    for (const kube::VolumeMount& mount : c.mounts) {
        cri::Mount& m = *out.add_mounts();
        // A relative path counts from the root.
        m.set_container_path(mount.mount_path.front() == '/' ? mount.mount_path : "/" + mount.mount_path);
        m.set_host_path(TRY(volume_source(pod, mount.name, node)));
        m.set_readonly(mount.read_only);
        m.set_propagation(propagation_of(mount.propagation));
        own_hosts = own_hosts || m.container_path() == "/etc/hosts";
    }
    if (!own_hosts) {
        cri::Mount& hosts = *out.add_mounts();
        hosts.set_container_path("/etc/hosts");
        hosts.set_host_path(node.paths.hosts(pod.meta.uid));
        hosts.set_readonly(c.security && c.security->read_only_root == true);
    }
    cri::Mount& message = *out.add_mounts();
    message.set_container_path(c.message_path);
    message.set_host_path(node.paths.message(pod.meta.uid, c.name, restarts));
    return ok();
}

void plan_labels(const kube::Pod& pod, const kube::Container& c, uint32_t restarts,
                 cri::ContainerConfig& out) {
    auto& labels = *out.mutable_labels();
    labels[labels::kPodName] = pod.meta.name;
    labels[labels::kPodNamespace] = pod.meta.ns;
    labels[labels::kPodUid] = pod.meta.uid;
    labels[labels::kContainerName] = c.name;
    auto& annotations = *out.mutable_annotations();
    annotations[labels::kHash] = c.hash;
    annotations[labels::kRestartCount] = std::to_string(restarts);
    annotations[labels::kMessagePath] = c.message_path;
    annotations[labels::kMessagePolicy] =
        c.message_policy == kube::MessagePolicy::File ? "File" : "FallbackToLogsOnError";
    annotations[labels::kGrace] = std::to_string(pod.spec.grace());
    if (c.ports.empty()) return;
    nlohmann::json ports = nlohmann::json::array();
    for (const kube::ContainerPort& port : c.ports) {
        nlohmann::json each = {{"containerPort", port.container_port}};
        if (!port.name.empty()) each["name"] = port.name;
        if (port.host_port != 0) each["hostPort"] = port.host_port;
        ports.push_back(each);
    }
    annotations[labels::kPorts] = ports.dump();
}

int64_t milli_of(const kube::ResourceList& list, const char* name) {
    const auto at = list.find(name);
    return at == list.end() ? 0 : at->second.milli();
}

}  // namespace

void plan_resources(const kube::Pod& pod, const kube::Container& c, const NodeFacts& node,
                    cri::LinuxContainerResources& out) {
    out.set_cpu_shares(static_cast<int64_t>(shares_from_milli(milli_of(c.resources.requests, "cpu"))));
    if (node.cpu.quota) {
        out.set_cpu_period(node.cpu.period_us);
        out.set_cpu_quota(quota_from_milli(milli_of(c.resources.limits, "cpu"), node.cpu.period_us));
    }
    const auto memory = c.resources.limits.find("memory");
    if (memory != c.resources.limits.end() && !memory->second.zero()) {
        out.set_memory_limit_in_bytes(memory->second.value());
        // Equal to the limit means no swap; v1 may lack the file and never gets it from a kubelet.
        if (node.unified_cgroups) out.set_memory_swap_limit_in_bytes(memory->second.value());
    }
    out.set_oom_score_adj(oom_score_adj(pod, c, node.memory_capacity));
    if (node.unified_cgroups && node.oom_kills_group) (*out.mutable_unified())["memory.oom.group"] = "1";
}

Result<cri::ContainerConfig> plan_container(const kube::Pod& pod, const kube::Container& c,
                                            const ContainerFacts& facts, const NodeFacts& node) {
    cri::ContainerConfig out;
    out.mutable_metadata()->set_name(c.name);
    out.mutable_metadata()->set_attempt(facts.restarts);
    out.mutable_image()->set_image(facts.image);
    out.mutable_image()->set_user_specified_image(c.image);
    const auto env = TRY(plan_env({pod, c, facts.pod_ips, node}));
    for (const auto& [name, value] : env) {
        cri::KeyValue& each = *out.add_envs();
        each.set_key(name);
        each.set_value(value);
    }
    for (const std::string& each : c.command) out.add_command(expand(each, env));
    for (const std::string& each : c.args) out.add_args(expand(each, env));
    out.set_working_dir(c.working_dir);
    TRY(plan_mounts(pod, c, facts.restarts, node, out));
    plan_labels(pod, c, facts.restarts, out);
    out.set_log_path(c.name + "/" + std::to_string(facts.restarts) + ".log");
    out.set_tty(c.tty);
    out.set_stdin(c.standard_input);
    out.set_stdin_once(c.stdin_once);
    plan_resources(pod, c, node, *out.mutable_linux()->mutable_resources());
    TRY(plan_security(pod, c, facts, node, *out.mutable_linux()->mutable_security_context()));
    return out;
}

}  // namespace orlop::agent
