// Translation from CRI terms to launch plans: values in, values out; no I/O, clock or environment.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
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
    int32_t oom_score_adj = 0;      // our own: the least that can be given when it cannot be lowered
    std::string hostname;           // the node's: HOSTNAME of containers whose pod has no hostname of its own
    bool recursive_read_only = true;  // mount_setattr(2), Linux 5.12
    bool user_namespaces = true;      // made by us, with overlays of id-mapped layers (Linux 5.19)
    std::vector<launch::Rlimit> default_rlimits;  // of every container, over the usual ones
    // Of every pod that has the namespace for itself; the pod's own come first.
    std::map<std::string, std::string> default_sysctls;
};

// The one range of each that a pod with a user namespace has.
struct UserMaps {
    launch::IdMap uids, gids;
    bool operator==(const UserMaps& other) const;
};

// Compiled default filters by what matters of the capabilities: compiling takes milliseconds, and nearly all
// containers share one. Safe from several threads.
class SeccompCache {
  public:
    Result<std::string> default_filter(uint64_t bounding_capabilities);

  private:
    static constexpr size_t kLimit = 64;
    std::mutex mutex_;
    std::map<uint64_t, std::string> filters_;  // guarded by mutex_
};

// A device node that the caller found for one entry of config.devices (its host_path, symlinks followed, or a
// node in the tree below it when that is a directory).
struct FoundDevice {
    size_t request = 0;       // index in config.devices
    std::string below;        // path relative to host_path, "" for host_path itself
    launch::DeviceNode node;  // as stat(2) says; `path` is not looked at
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
    std::vector<FoundDevice> devices;  // at least one for each of config.devices
    std::vector<launch::DeviceNode>
        host_devices;  // all of the host's /dev; only privileged containers get them
    // Content of the file that localhost_seccomp() names.
    std::optional<std::string> seccomp_profile = std::nullopt;
    SeccompCache* seccomp_cache = nullptr;  // optional
    // By index in config.mounts: the layers of what Mount.image names, highest first.
    std::map<int, std::vector<std::string>> image_layers = {};
};

// plan.cgroup is left empty: the caller fills it when the cgroup exists. Errors name the field: Invalid, or
// Unimplemented for what this runtime does not have.
Result<launch::LaunchPlan> plan_container(const ContainerRequest& request, const NodeFacts& facts);

Result<launch::PausePlan> plan_pause(const std::string& sandbox_id, const cri::PodSandboxConfig& config,
                                     const std::string& netns, const NodeFacts& facts);

// A process as the container's own (user, environment, capabilities, seccomp), with another command line.
launch::ExecPlan plan_exec(const launch::LaunchPlan& container, const std::vector<std::string>& command,
                           bool terminal);

// Limits and device rules of a container's cgroup. Privileged = all devices. `devices` as in
// ContainerRequest.
Result<cgroups::Resources> plan_resources(const cri::ContainerConfig& config, const NodeFacts& facts,
                                          const std::vector<FoundDevice>& devices = {});

// The limits alone: for UpdateContainerResources and for the pod's own cgroup. 0 and "" leave a limit as it
// is.
Result<cgroups::Resources> plan_limits(const cri::LinuxContainerResources& resources, const NodeFacts& facts);

// The absolute host path of the seccomp profile that the container asks for (Localhost), "" if it asks for
// none. The caller reads it, bounded, into ContainerRequest::seccomp_profile.
Result<std::string> localhost_seccomp(const cri::ContainerConfig& config);

// The signal to stop with: CRI stop_signal, then the image's, then SIGTERM. Invalid names the bad one.
Result<int> stop_signal(const cri::ContainerConfig& config, const images::ImageConfig& image);

// Settings: "nofile=1024:65536" (soft:hard), "core=0" (both), "memlock=unlimited"; "net.core.somaxconn=1024",
// namespaced ones only.
Result<launch::Rlimit> parse_rlimit(const std::string& text);
Result<std::pair<std::string, std::string>> parse_sysctl(const std::string& text);

// The user namespace that the pod asks for; nothing = the host's. Invalid: other modes than POD and NODE, not
// exactly one range of each, id 0 of the containers not in it, ids that do not fit into 32 bits.
Result<std::optional<UserMaps>> user_namespace(const cri::PodSandboxConfig& config);

// The container whose process namespace is to be shared (NamespaceMode TARGET), "" if there is none. The plan
// has then an empty path for it, which who starts it fills.
std::string pid_target(const cri::ContainerConfig& config);

// Pure checks of a sandbox request: metadata, hostname, log directory, sysctls (namespaced only), ports,
// namespace modes (what is not built is refused by name). Does not look at the host.
Status check_sandbox(const cri::PodSandboxConfig& config);

// The default seccomp profile for these capabilities, compiled by libseccomp to struct sock_filter[] bytes.
Result<std::string> default_seccomp(uint64_t bounding_capabilities);

}  // namespace orlop::plan
