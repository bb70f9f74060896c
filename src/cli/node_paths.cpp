#include "cli/node_paths.h"

#include <algorithm>

namespace orlop::cli {

namespace {

constexpr size_t kLongestName = 40;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

}  // namespace

Status check_node_name(std::string_view name) {
    const bool good = !name.empty() && name.size() <= kLongestName && is_lower(name.front()) &&
                      std::all_of(name.begin(), name.end(),
                                  [](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '-'; });
    if (good) return ok();
    return Error::invalid("\"" + std::string(name) +
                          "\" is no name for a node: at most 40 of a-z, 0-9 and '-', a letter first");
}

NodePaths paths_of(std::string_view name) {
    NodePaths p;
    p.name = name;
    p.run = "/run/" + p.name;
    p.runtime_socket = p.run + "/runtime.sock";
    p.agent_socket = p.run + "/agent.sock";
    p.logs = p.run + "/logs";
    p.state = "/var/lib/" + p.name;
    if (p.is_default()) {
        p.agent_root = "/var/lib/kubelet";
        p.manifests = "/etc/kubernetes/manifests";
        p.cni_conf = "/etc/cni/net.d";
        p.cni_cache = "/var/lib/cni";
        p.pod_logs = "/var/log/pods";
    } else {
        p.agent_root = p.state + "/kubelet";
        p.manifests = p.state + "/manifests";
        p.cni_conf = p.state + "/cni/net.d";
        p.cni_cache = p.state + "/cni/cache";
        p.pod_logs = "/var/log/" + p.name + "-pods";
    }
    return p;
}

}  // namespace orlop::cli
