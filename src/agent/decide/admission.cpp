#include "agent/decide/admission.h"

#include <algorithm>
#include <array>

namespace orlop::agent {

namespace {

// kubernetes.io, Using sysctls in a Kubernetes Cluster: the safe set.
constexpr std::array<std::string_view, 12> kSafe{"kernel.shm_rmid_forced",
                                                 "net.ipv4.ip_local_port_range",
                                                 "net.ipv4.tcp_syncookies",
                                                 "net.ipv4.ping_group_range",
                                                 "net.ipv4.ip_unprivileged_port_start",
                                                 "net.ipv4.ip_local_reserved_ports",
                                                 "net.ipv4.tcp_keepalive_time",
                                                 "net.ipv4.tcp_fin_timeout",
                                                 "net.ipv4.tcp_keepalive_intvl",
                                                 "net.ipv4.tcp_keepalive_probes",
                                                 "net.ipv4.tcp_rmem",
                                                 "net.ipv4.tcp_wmem"};

bool allowed(std::string name, const std::vector<std::string>& unsafe) {
    std::replace(name.begin(), name.end(), '/', '.');
    if (std::find(kSafe.begin(), kSafe.end(), name) != kSafe.end()) return true;
    return std::any_of(unsafe.begin(), unsafe.end(), [&](const std::string& rule) {
        return rule.ends_with('*') ? name.starts_with(rule.substr(0, rule.size() - 1)) : name == rule;
    });
}

}  // namespace

std::optional<Wait> reject(const kube::Pod& pod, const std::vector<kube::Finding>& refusals, size_t others,
                           const AdmissionRules& rules) {
    if (!refusals.empty()) return Wait{"UnsupportedFields", kube::join(refusals)};
    const auto os = pod.spec.other.find("os");
    if (os != pod.spec.other.end() && os->second.contains("name") && os->second["name"] != "linux")
        return Wait{"PodOSNotSupported", "spec.os.name: this node runs linux"};
    if (static_cast<int64_t>(others) >= rules.max_pods)
        return Wait{"OutOfpods", "the node runs its maximum of " + std::to_string(rules.max_pods) + " pods"};
    if (pod.spec.security) {
        for (const kube::Sysctl& s : pod.spec.security->sysctls) {
            if (!allowed(s.name, rules.unsafe_sysctls))
                return Wait{"SysctlForbidden", "forbidden sysctl: \"" + s.name + "\" not allowlisted"};
        }
    }
    return {};
}

}  // namespace orlop::agent
