// Rules of a pod's spec that look across its parts.
#include <set>
#include <tuple>

#include "kube/names.h"
#include "kube/pod_schema.h"

namespace orlop::kube {

namespace {

using HostPorts = std::set<std::tuple<int32_t, std::string, Protocol>>;

void check_ports(PodSpec& spec, Container& container, const Path& path, HostPorts& used, Findings& findings) {
    const Path ports = path.field("ports");
    for (size_t i = 0; i < container.ports.size(); ++i) {
        ContainerPort& port = container.ports[i];
        const Path item = ports.at(i);
        if (spec.host_network) {
            if (port.host_port == 0) port.host_port = port.container_port;
            if (port.host_port != port.container_port)
                findings.error(item.field("hostPort"), "must equal containerPort with hostNetwork");
        }
        if (port.host_port == 0) continue;
        if (!used.emplace(port.host_port, port.host_ip, port.protocol).second)
            findings.error(item.field("hostPort"), "used twice");
    }
}

class ContainerRules {
  public:
    ContainerRules(PodSpec& spec, Findings& findings) : spec_(spec), findings_(findings) {
        for (const Volume& volume : spec.volumes) volumes_.insert(volume.name);
    }

    void check(std::vector<Container>& list, const Path& path, bool init) {
        for (size_t i = 0; i < list.size(); ++i) {
            Container& container = list[i];
            const Path here = path.at(i);
            if (!container.name.empty() && !names_.insert(container.name).second)
                findings_.error(here.field("name"), "'" + container.name + "' is used twice");
            if (!init && container.restartable_init())
                findings_.refuse(here.field("restartPolicy"), "not supported yet outside of init containers");
            check_ports(spec_, container, here, ports_, findings_);
            check_mounts(container, here);
            check_references(container, here);
        }
    }

  private:
    void check_mounts(const Container& container, const Path& here) {
        const Path mounts = here.field("volumeMounts");
        for (size_t i = 0; i < container.mounts.size(); ++i) {
            const Path item = mounts.at(i);
            const std::string& name = container.mounts[i].name;
            if (!name.empty() && !volumes_.contains(name))
                findings_.error(item.field("name"), "no volume '" + name + "' in spec.volumes");
        }
    }

    void check_references(const Container& container, const Path& here) {
        const Path env = here.field("env");
        for (size_t i = 0; i < container.env.size(); ++i) {
            const auto& from = container.env[i].from;
            if (!from || !from->resource_ref || from->resource_ref->container.empty()) continue;
            const std::string& name = from->resource_ref->container;
            bool found = false;
            for (const auto* list : {&spec_.init_containers, &spec_.containers}) {
                for (const Container& each : *list) found = found || each.name == name;
            }
            if (!found) findings_.error(env.at(i), "resourceFieldRef: no container '" + name + "'");
        }
    }

    PodSpec& spec_;
    Findings& findings_;
    std::set<std::string_view> volumes_;
    std::set<std::string_view> names_;
    HostPorts ports_;
};

void check_volumes(PodSpec& spec, const Path& path, Findings& findings) {
    std::set<std::string_view> names;
    const Path volumes = path.field("volumes");
    for (size_t i = 0; i < spec.volumes.size(); ++i) {
        Volume& volume = spec.volumes[i];
        const Path item = volumes.at(i);
        if (!volume.name.empty() && !names.insert(volume.name).second)
            findings.error(item.field("name"), "'" + volume.name + "' is used twice");
    }
}

void check_sysctls(const PodSpec& spec, const Path& path, Findings& findings) {
    if (!spec.security) return;
    const Path security = path.field("securityContext");
    const Path sysctls = security.field("sysctls");
    for (size_t i = 0; i < spec.security->sysctls.size(); ++i) {
        const std::string_view name = spec.security->sysctls[i].name;
        const Path item = sysctls.at(i);
        if (spec.host_network && (name.starts_with("net.") || name.starts_with("net/")))
            findings.error(item.field("name"), "cannot be set with hostNetwork");
        const bool ipc = name.starts_with("kernel.shm") || name.starts_with("kernel.msg") ||
                         name.starts_with("kernel.sem") || name.starts_with("fs.mqueue.");
        if (spec.host_ipc && ipc) findings.error(item.field("name"), "cannot be set with hostIPC");
    }
}

}  // namespace

void Schema<PodSpec>::finish(PodSpec& spec, const Path& path, Findings& findings) {
    if (!spec.grace_s) spec.grace_s = 30;
    if (*spec.grace_s < 0)
        findings.error(path.field("terminationGracePeriodSeconds"), "must not be negative");
    if (spec.host_pid && spec.share_process_namespace)
        findings.error(path.field("shareProcessNamespace"), "cannot be combined with hostPID");
    if (spec.dns_policy == DnsPolicy::None && (!spec.dns_config || spec.dns_config->nameservers.empty()))
        findings.error(path.field("dnsConfig"), "nameservers are required with dnsPolicy None");
    if (!spec.hostname.empty() && !is_dns_label(spec.hostname))
        findings.error(path.field("hostname"), "'" + spec.hostname + "' is not a lower-case DNS label");
    check_volumes(spec, path, findings);
    check_sysctls(spec, path, findings);
    ContainerRules rules(spec, findings);
    rules.check(spec.init_containers, path.field("initContainers"), true);
    rules.check(spec.containers, path.field("containers"), false);
}

}  // namespace orlop::kube
