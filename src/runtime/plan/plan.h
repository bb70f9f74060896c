// Translation from CRI terms to launch plans: values in, values out; no I/O, clock or environment.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroups/resources.h"
#include "cri/api.pb.h"
#include "images/store.h"
#include "runtime/launch/plan.h"

namespace orlop::plan {

namespace cri = ::runtime::v1;

// What the daemon learned about this machine at start.
struct NodeFacts {
    bool cgroup_v2 = true;
    std::vector<launch::CgroupMount> v1_mounts;  // hierarchies to show in containers; v1 only
    uint64_t capabilities = 0;                   // what we hold ourselves (CapEff): more cannot be given
    bool can_lower_oom_score = true;             // CAP_SYS_RESOURCE
    std::map<std::string, uint64_t> hugepage_sizes;
    int64_t pids_limit = -1;        // per container, from the runtime's configuration
    int64_t nofile_hard = 1048576;  // our own hard RLIMIT_NOFILE
};

// Host paths of one sandbox that its containers use.
struct SandboxPaths {
    std::string netns;                         // "" = host network
    std::string shm;                           // mounted tmpfs; "" = host IPC: the host's /dev/shm
    std::string hostname, hosts, resolv_conf;  // files; bound to /etc unless the container mounts them itself
};

// Host paths of one container.
struct ContainerPaths {
    std::vector<std::string> layers;  // highest first
    std::string upper, work, staging;
};

struct ContainerRequest {
    const cri::ContainerConfig& config;
    const cri::PodSandboxConfig& sandbox;
    const images::Image& image;
    const SandboxPaths& sandbox_paths;
    const ContainerPaths& paths;
    std::string id;
    // Host sources of config.mounts, in their order, with what they are (the caller stats them): directory or
    // not.
    std::vector<bool> mount_is_directory;
};

// plan.cgroup is left empty: the caller fills it when the cgroup exists. Errors are Invalid and name the
// field.
Result<launch::LaunchPlan> plan_container(const ContainerRequest& request, const NodeFacts& facts);

Result<launch::PausePlan> plan_pause(const std::string& sandbox_id, const cri::PodSandboxConfig& config,
                                     const std::string& netns, const NodeFacts& facts);

// A process as the container's own (user, environment, capabilities, seccomp), with another command line.
launch::ExecPlan plan_exec(const launch::LaunchPlan& container, const std::vector<std::string>& command,
                           bool terminal);

// Limits and device rules of a container's cgroup. Privileged = all devices.
Result<cgroups::Resources> plan_resources(const cri::ContainerConfig& config, const NodeFacts& facts);

// The signal to stop with: CRI stop_signal, then the image's, then SIGTERM. Invalid names the bad one.
Result<int> stop_signal(const cri::ContainerConfig& config, const images::ImageConfig& image);

// Pure checks of a sandbox request: metadata, hostname, log directory, sysctls (namespaced only), ports,
// namespace modes (what is not built is refused by name). Does not look at the host.
Status check_sandbox(const cri::PodSandboxConfig& config);

// The default seccomp profile for these capabilities, compiled by libseccomp to struct sock_filter[] bytes.
Result<std::string> default_seccomp(uint64_t bounding_capabilities);
// A profile in the OCI/docker JSON format (SecurityProfile Localhost).
Result<std::string> compile_seccomp_json(const std::string& json, uint64_t bounding_capabilities);

}  // namespace orlop::plan
