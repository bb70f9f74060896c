// Defaults and rules of the parts of a pod; those that look across parts are in pod_spec_rules.cpp.
#include <algorithm>
#include <array>
#include <set>

#include "kube/names.h"
#include "kube/pod_schema.h"

namespace orlop::kube {

namespace {

constexpr int64_t kMaxId = 2'147'483'647;

void check_id(const std::optional<int64_t>& id, const Path& path, Findings& findings) {
    if (id && (*id < 0 || *id > kMaxId)) findings.error(path, "must be 0..2147483647");
}

void check_port(int32_t port, const Path& path, Findings& findings) {
    if (port < 1 || port > 65535) findings.error(path, "must be 1..65535");
}

// No tag and no digest means :latest, and that is pulled each time.
PullPolicy default_pull_policy(const std::string& image) {
    if (image.find('@') != std::string::npos) return PullPolicy::IfNotPresent;
    const size_t slash = image.rfind('/');
    const size_t colon = image.rfind(':');
    const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
    const bool latest = !tagged || image.substr(colon + 1) == "latest";
    return latest ? PullPolicy::Always : PullPolicy::IfNotPresent;
}

void check_resource(const std::string& name, const Quantity& amount, const Path& path, Findings& findings) {
    if (amount.negative()) findings.error(path, "must not be negative");
    if (name == "cpu" || name == "memory") return;
    if (name == "ephemeral-storage") return findings.warn(path, "not enforced yet");
    findings.refuse(path, "not supported yet");
}

constexpr std::array<std::string_view, 11> kFieldPaths{
    "metadata.name",        "metadata.namespace", "metadata.uid",           "metadata.labels",
    "metadata.annotations", "spec.nodeName",      "status.hostIP",          "status.hostIPs",
    "status.podIP",         "status.podIPs",      "spec.serviceAccountName"};

}  // namespace

void Schema<ObjectMeta>::finish(ObjectMeta& meta, const Path& path, Findings& findings) {
    if (meta.ns.empty()) meta.ns = "default";
    if (!meta.name.empty() && !is_dns_subdomain(meta.name))
        findings.error(path.field("name"), "'" + meta.name + "' is not a lower-case DNS name");
    if (!is_dns_label(meta.ns))
        findings.error(path.field("namespace"), "'" + meta.ns + "' is not a lower-case DNS label");
    const auto uid_char = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    };
    // The uid becomes a directory and a cgroup.
    if (meta.uid.size() > 128 || !std::all_of(meta.uid.begin(), meta.uid.end(), uid_char))
        findings.error(path.field("uid"), "must be letters, digits and '-', at most 128");
}

void Schema<FieldSelector>::finish(FieldSelector& selector, const Path& path, Findings& findings) {
    std::string_view base = selector.field_path;
    const bool subscript = base.ends_with("']") && base.find("['") != std::string_view::npos;
    if (subscript) base = base.substr(0, base.find("['"));
    const bool wants_subscript = base == "metadata.labels" || base == "metadata.annotations";
    if (subscript != wants_subscript ||
        std::find(kFieldPaths.begin(), kFieldPaths.end(), base) == kFieldPaths.end())
        findings.error(path.field("fieldPath"),
                       "'" + selector.field_path + "' cannot be used in an environment variable");
}

void Schema<ResourceSelector>::finish(ResourceSelector& selector, const Path& path, Findings& findings) {
    static constexpr std::array<std::string_view, 4> known{"limits.cpu", "limits.memory", "requests.cpu",
                                                           "requests.memory"};
    if (std::find(known.begin(), known.end(), selector.resource) == known.end())
        findings.refuse(path.field("resource"), "'" + selector.resource + "' is not supported yet");
    if (selector.divisor && (selector.divisor->negative()))
        findings.error(path.field("divisor"), "must not be negative");
}

void Schema<EnvVar>::finish(EnvVar& env, const Path& path, Findings& findings) {
    if (!env.name.empty() && !is_env_name(env.name))
        findings.error(path.field("name"), "'" + env.name + "' is not a name for an environment variable");
    if (env.from && !env.value.empty())
        findings.error(path.field("valueFrom"), "cannot be combined with value");
    if (env.from && env.from->field_ref && env.from->resource_ref)
        findings.error(path.field("valueFrom"), "takes one source");
}

void Schema<ContainerPort>::finish(ContainerPort& port, const Path& path, Findings& findings) {
    check_port(port.container_port, path.field("containerPort"), findings);
    if (port.host_port != 0) check_port(port.host_port, path.field("hostPort"), findings);
    if (!port.host_ip.empty() && !is_ip(port.host_ip))
        findings.error(path.field("hostIP"), "'" + port.host_ip + "' is not an IP address");
}

void Schema<Resources>::finish(Resources& resources, const Path& path, Findings& findings) {
    for (const auto& [name, amount] : resources.limits)
        check_resource(name, amount, path.field("limits").key(name), findings);
    for (const auto& [name, amount] : resources.requests) {
        const Path requests = path.field("requests");
        check_resource(name, amount, requests.key(name), findings);
        const auto limit = resources.limits.find(name);
        if (limit != resources.limits.end() && amount > limit->second)
            findings.error(requests.key(name), "must not exceed the limit " + limit->second.text());
    }
    for (const auto& [name, amount] : resources.limits) resources.requests.try_emplace(name, amount);
}

void Schema<VolumeMount>::finish(VolumeMount& mount, const Path& path, Findings& findings) {
    const Path here = path.field("mountPath");
    if (mount.mount_path.find(':') != std::string::npos) findings.error(here, "must not contain ':'");
    if (has_backsteps(mount.mount_path)) findings.error(here, "must not contain '..'");
}

void Schema<SecurityProfile>::finish(SecurityProfile& profile, const Path& path, Findings& findings) {
    const Path here = path.field("localhostProfile");
    if (profile.type != ProfileType::Localhost) {
        if (!profile.localhost.empty()) findings.error(here, "only with type Localhost");
        return;
    }
    if (profile.localhost.empty()) return findings.error(here, "required with type Localhost");
    if (profile.localhost.front() == '/' || has_backsteps(profile.localhost))
        findings.error(here, "must be a path below the seccomp directory, without '..'");
}

void Schema<ContainerSecurity>::finish(ContainerSecurity& security, const Path& path, Findings& findings) {
    check_id(security.run_as_user, path.field("runAsUser"), findings);
    check_id(security.run_as_group, path.field("runAsGroup"), findings);
    if (security.allow_escalation == false) {
        const Path here = path.field("allowPrivilegeEscalation");
        if (security.privileged == true) findings.error(here, "cannot be false with privileged");
        const auto& caps = security.capabilities;
        const auto is_admin = [](const std::string& name) {
            return name == "SYS_ADMIN" || name == "CAP_SYS_ADMIN";
        };
        if (caps && std::any_of(caps->add.begin(), caps->add.end(), is_admin))
            findings.error(here, "cannot be false with capability SYS_ADMIN");
    }
}

void Schema<Container>::finish(Container& container, const Path& path, Findings& findings) {
    if (!container.name.empty() && !is_dns_label(container.name))
        findings.error(path.field("name"), "'" + container.name + "' is not a lower-case DNS label");
    if (container.image !=
        std::string_view(container.image).substr(0, container.image.find_first_of(" \t\n")))
        findings.error(path.field("image"), "must not contain blanks");
    if (container.message_path.empty()) container.message_path = "/dev/termination-log";
    if (container.message_policy == MessagePolicy::FallbackToLogsOnError)
        findings.warn(path.field("terminationMessagePolicy"),
                      "FallbackToLogsOnError is not supported yet, treated as File");
    if (container.pull_policy == PullPolicy::Unset)
        container.pull_policy = default_pull_policy(container.image);
    std::set<std::string_view> paths;
    const Path mounts = path.field("volumeMounts");
    for (size_t i = 0; i < container.mounts.size(); ++i) {
        if (!paths.insert(container.mounts[i].mount_path).second)
            findings.error(mounts.at(i).field("mountPath"), "used twice");
        const bool privileged = container.security && container.security->privileged == true;
        if (container.mounts[i].propagation == MountPropagation::Bidirectional && !privileged)
            findings.error(mounts.at(i).field("mountPropagation"),
                           "Bidirectional needs a privileged container");
    }
    std::set<std::string_view> names;
    const Path ports = path.field("ports");
    for (size_t i = 0; i < container.ports.size(); ++i) {
        const std::string& name = container.ports[i].name;
        if (!name.empty() && !names.insert(name).second)
            findings.error(ports.at(i).field("name"), "used twice");
    }
}

void Schema<EmptyDir>::finish(EmptyDir& dir, const Path& path, Findings& findings) {
    const Path here = path.field("sizeLimit");
    if (!dir.size_limit) return;
    if (dir.size_limit->negative()) return findings.error(here, "must not be negative");
    if (dir.medium == Medium::Default) findings.warn(here, "not enforced yet on disk");
}

void Schema<HostPath>::finish(HostPath& host, const Path& path, Findings& findings) {
    if (host.path.empty()) return;
    if (host.path.front() != '/') findings.error(path.field("path"), "must be absolute");
    if (has_backsteps(host.path)) findings.error(path.field("path"), "must not contain '..'");
}

void Schema<Volume>::finish(Volume& volume, const Path& path, Findings& findings) {
    if (!volume.name.empty() && !is_dns_label(volume.name))
        findings.error(path.field("name"), "'" + volume.name + "' is not a lower-case DNS label");
    if (volume.empty_dir && volume.host_path) findings.error(path, "takes one kind of volume");
}

void Schema<PodSecurity>::finish(PodSecurity& security, const Path& path, Findings& findings) {
    check_id(security.run_as_user, path.field("runAsUser"), findings);
    check_id(security.run_as_group, path.field("runAsGroup"), findings);
    check_id(security.fs_group, path.field("fsGroup"), findings);
    for (size_t i = 0; i < security.supplemental_groups.size(); ++i) {
        const Path groups = path.field("supplementalGroups");
        check_id(security.supplemental_groups[i], groups.at(i), findings);
    }
    std::set<std::string_view> names;
    for (size_t i = 0; i < security.sysctls.size(); ++i) {
        const Path sysctls = path.field("sysctls");
        const Path item = sysctls.at(i);
        const std::string& name = security.sysctls[i].name;
        if (!is_sysctl(name)) findings.error(item.field("name"), "'" + name + "' is not a sysctl");
        if (!names.insert(name).second) findings.error(item.field("name"), "used twice");
    }
}

void Schema<DnsConfig>::finish(DnsConfig& dns, const Path& path, Findings& findings) {
    const Path servers = path.field("nameservers");
    if (dns.nameservers.size() > 3) findings.error(servers, "at most 3");
    for (size_t i = 0; i < dns.nameservers.size(); ++i) {
        if (!is_ip(dns.nameservers[i]))
            findings.error(servers.at(i), "'" + dns.nameservers[i] + "' is not an IP address");
    }
    if (dns.searches.size() > 32) findings.error(path.field("searches"), "at most 32");
}

void Schema<HostAlias>::finish(HostAlias& alias, const Path& path, Findings& findings) {
    if (!is_ip(alias.ip)) findings.error(path.field("ip"), "'" + alias.ip + "' is not an IP address");
    for (size_t i = 0; i < alias.hostnames.size(); ++i) {
        const Path names = path.field("hostnames");
        if (!is_dns_subdomain(alias.hostnames[i]))
            findings.error(names.at(i), "is not a lower-case DNS name");
    }
}

}  // namespace orlop::kube
