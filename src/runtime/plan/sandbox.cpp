#include <arpa/inet.h>

#include <algorithm>

#include "base/weak.h"
#include "runtime/launch/sysctl_names.h"
#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

using launch::Namespace;
using launch::NsFrom;

Status check_metadata(const cri::PodSandboxMetadata& metadata) {
    const std::pair<std::string_view, const std::string&> parts[] = {
        {"metadata.name", metadata.name()},
        {"metadata.namespace", metadata.namespace_()},
        {"metadata.uid", metadata.uid()}};
    for (const auto& [field, text] : parts) {
        if (text.empty()) return Error::invalid(std::string(field) + ": empty");
        TRY(check_plain(field, text));
    }
    return ok();
}

// hostname(7), and what fits the kernel: 64 bytes (sethostname(2)).
Status check_hostname(const std::string& hostname) {
    constexpr size_t kLongest = 64;
    if (hostname.empty()) return ok();
    bool good = hostname.size() <= kLongest;
    char previous = '.';
    for (const char c : hostname) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        good = good &&
               (plain || (c == '-' && previous != '.') || (c == '.' && previous != '.' && previous != '-'));
        previous = c;
    }
    if (good && previous != '.' && previous != '-') return ok();
    return Error::invalid("hostname: \"" + printable(hostname) +
                          "\" is no host name of at most 64 characters");
}

bool has_parent_step(std::string_view path) {
    return path == ".." || path.starts_with("../") || path.ends_with("/..") || path.find("/../") != path.npos;
}

Status check_directory(std::string_view field, const std::string& path) {
    if (path.empty()) return ok();
    TRY(clean_path(field, path));
    if (has_parent_step(path) && !weakened("log-path"))
        return Error::invalid(std::string(field) + ": \"..\" in \"" + printable(path) + "\"");
    return ok();
}

Status check_ports(const cri::PodSandboxConfig& config) {
    constexpr int kLastPort = 65535;
    for (int i = 0; i < config.port_mappings_size(); ++i) {
        const cri::PortMapping& port = config.port_mappings(i);
        if (!cri::Protocol_IsValid(port.protocol())) {
            return Error::invalid(element("port_mappings", i, "protocol") + ": unknown value " +
                                  std::to_string(port.protocol()));
        }
        if (port.container_port() < 1 || port.container_port() > kLastPort) {
            return Error::invalid(element("port_mappings", i, "container_port") + ": " +
                                  std::to_string(port.container_port()) + " is not in 1..65535");
        }
        if (port.host_port() < 0 || port.host_port() > kLastPort) {
            return Error::invalid(element("port_mappings", i, "host_port") + ": " +
                                  std::to_string(port.host_port()) + " is not in 0..65535");
        }
        unsigned char address[sizeof(in6_addr)];
        const std::string& host_ip = port.host_ip();
        if (!host_ip.empty() && inet_pton(AF_INET, host_ip.c_str(), address) != 1 &&
            inet_pton(AF_INET6, host_ip.c_str(), address) != 1) {
            return Error::invalid(element("port_mappings", i, "host_ip") + ": \"" + printable(host_ip) +
                                  "\" is no address");
        }
    }
    return ok();
}

// They become lines of resolv.conf(5).
Status check_dns(const cri::DNSConfig& dns) {
    for (const std::string& text : dns.servers()) TRY(check_plain("dns_config.servers", text));
    for (const std::string& text : dns.searches()) TRY(check_plain("dns_config.searches", text));
    for (const std::string& text : dns.options()) TRY(check_plain("dns_config.options", text));
    return ok();
}

// What most pods expect since the other runtimes do it: low ports and ping(8) without capabilities. The pod's
// network is its own, so this gives away nothing of the host's.
void add_default_sysctls(const std::optional<UserMaps>& user, Sysctls& sysctls) {
    const std::string last = user ? std::to_string(user->gids.size - 1) : "2147483647";
    const std::pair<std::string, std::string> defaults[] = {{"net.ipv4.ip_unprivileged_port_start", "0"},
                                                            {"net.ipv4.ping_group_range", "0 " + last}};
    for (const auto& entry : defaults) {
        const bool given = std::any_of(sysctls.begin(), sysctls.end(),
                                       [&](const auto& sysctl) { return sysctl.first == entry.first; });
        if (!given) sysctls.push_back(entry);
    }
}

// The settings' own, where the pod has the namespace and says nothing itself.
void add_settings(const cri::PodSandboxConfig& config, const NodeFacts& facts, Sysctls& sysctls) {
    for (const auto& [name, value] : facts.default_sysctls) {
        const bool network = launch::sysctl_owner(name) == launch::SysctlOwner::Network;
        if (network ? host_network(config) : host_ipc(config)) continue;
        const std::string& wanted = name;
        const bool given = std::any_of(sysctls.begin(), sysctls.end(),
                                       [&](const auto& sysctl) { return sysctl.first == wanted; });
        if (!given) sysctls.emplace_back(name, value);
    }
}

}  // namespace

Status check_sandbox(const cri::PodSandboxConfig& config) {
    TRY(check_metadata(config.metadata()));
    TRY(check_hostname(config.hostname()));
    TRY(check_directory("log_directory", config.log_directory()));
    TRY(check_plain("linux.cgroup_parent", config.linux().cgroup_parent()));
    if (has_parent_step(config.linux().cgroup_parent())) {
        return Error::invalid("linux.cgroup_parent: \"..\" in \"" +
                              printable(config.linux().cgroup_parent()) + "\"");
    }
    TRY(check_ports(config));
    TRY(check_dns(config.dns_config()));
    const auto& security = config.linux().security_context();
    TRY(check_sandbox_namespaces(security.namespace_options()));
    if (security.has_run_as_group() && !security.has_run_as_user()) {
        return Error::invalid("linux.security_context.run_as_group: set without run_as_user");
    }
    TRY(plan_sysctls(config));
    return ok();
}

Result<launch::PausePlan> plan_pause(const std::string& sandbox_id, const cri::PodSandboxConfig& config,
                                     const std::string& netns, const NodeFacts& facts) {
    TRY(check_sandbox(config));
    launch::PausePlan plan;
    plan.id = sandbox_id;
    plan.sysctls = TRY(plan_sysctls(config));
    add_settings(config, facts, plan.sysctls);
    const std::optional<UserMaps> user = TRY(user_namespace(config));
    if (user) {
        if (!facts.user_namespaces) return Error::unimplemented("user namespaces: this kernel lacks them");
        // A network namespace with the right owner was made before.
        plan.user = {host_network(config) ? NsFrom::New : NsFrom::NetOwner, ""};
        plan.uid_map = {user->uids};
        plan.gid_map = {user->gids};
    }
    const cri::NamespaceMode pid = config.linux().security_context().namespace_options().pid();
    plan.pid = {pid == cri::POD ? NsFrom::New : NsFrom::Host, ""};
    plan.ipc = {host_ipc(config) ? NsFrom::Host : NsFrom::New, ""};
    if (host_network(config)) {
        // The host's name must stay: without a namespace of its own the pod would rename the machine.
        plan.net = {NsFrom::Host, ""};
        plan.uts = {NsFrom::Host, ""};
    } else {
        if (netns.empty()) return Error::invalid("the sandbox has no network namespace");
        plan.net = {NsFrom::Path, netns};
        plan.uts = {NsFrom::New, ""};
        plan.hostname = config.hostname();
        add_default_sysctls(user, plan.sysctls);
    }
    // Killing it takes the whole pod down, so it goes after everything but the node's own processes.
    constexpr int32_t kPauseOomScore = -998;
    if (facts.can_lower_oom_score) plan.oom_score_adj = kPauseOomScore;
    return plan;
}

}  // namespace orlop::plan
