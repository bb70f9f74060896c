// Pod -> CRI requests. Pure: everything that has to be looked up comes in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/decide/paths.h"
#include "agent/decide/qos.h"
#include "base/result.h"
#include "cri/api.pb.h"
#include "kube/pod.h"

namespace orlop::agent {

namespace cri = runtime::v1;

// resolv.conf(5), as far as the CRI carries it.
struct Resolver {
    std::vector<std::string> servers;
    std::vector<std::string> searches;
    std::vector<std::string> options;
    bool operator==(const Resolver&) const = default;
};
Resolver parse_resolv_conf(const std::string& text);

struct NodeFacts {
    std::string node_name;
    std::string host_ip;
    Paths paths;
    Resolver host_resolver;
    std::vector<std::string> cluster_dns;
    std::string cluster_domain;
    int64_t memory_capacity = 0;  // bytes
    int64_t cpu_milli = 0;
    CpuRules cpu;
    std::string cgroup_root = "/";
    bool cgroups_per_qos = true;
    bool systemd_cgroups = false;
    bool unified_cgroups = false;  // v2
    bool oom_kills_group = true;   // v2: memory.oom.group
    bool seccomp_default = false;
    int64_t pids_limit = -1;
};

// dnsPolicy and dnsConfig, within the limits of 3 servers, 32 searches and 2048 characters.
Resolver pod_resolver(const kube::Pod& pod, const NodeFacts& node);
// At most 63 characters.
std::string pod_hostname(const kube::Pod& pod, const NodeFacts& node);
// The file that is mounted at /etc/hosts. `host_file` is the node's own (for the host's network).
std::string hosts_file(const kube::Pod& pod, const NodeFacts& node, const std::vector<std::string>& ips,
                       const std::string& host_file);

Result<cri::PodSandboxConfig> plan_sandbox(const kube::Pod& pod, uint32_t attempt, const NodeFacts& node);

struct ContainerFacts {
    uint32_t restarts = 0;
    std::vector<std::string> pod_ips;
    std::string image;  // what the runtime knows it by
    std::optional<int64_t> image_uid;
    std::string image_user;
};
// Precondition (CreateContainerConfigError in the API) when the pod's rules and the image do not agree.
Result<cri::ContainerConfig> plan_container(const kube::Pod& pod, const kube::Container& container,
                                            const ContainerFacts& facts, const NodeFacts& node);

// Parts of it, for their own tests.
struct EnvFacts {
    const kube::Pod& pod;
    const kube::Container& container;
    const std::vector<std::string>& pod_ips;
    const NodeFacts& node;
};
Result<std::vector<std::pair<std::string, std::string>>> plan_env(const EnvFacts& facts);
// $(NAME) -> its value; $$ -> $; what is not known stays as it is.
std::string expand(const std::string& text, const std::vector<std::pair<std::string, std::string>>& env);
void plan_sandbox_security(const kube::Pod& pod, const NodeFacts& node,
                           cri::LinuxSandboxSecurityContext& out);
Status plan_security(const kube::Pod& pod, const kube::Container& container, const ContainerFacts& facts,
                     const NodeFacts& node, cri::LinuxContainerSecurityContext& out);
void plan_resources(const kube::Pod& pod, const kube::Container& container, const NodeFacts& node,
                    cri::LinuxContainerResources& out);

}  // namespace orlop::agent
