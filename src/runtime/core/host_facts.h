// What has to be looked up on this machine before planning, which is pure: node facts once, host paths,
// device nodes and seccomp profiles for each container.
#pragma once

#include <string>
#include <vector>

#include "cgroups/cgroup.h"
#include "runtime/plan/plan.h"

namespace orlop::core {

namespace cri = ::runtime::v1;

Result<plan::NodeFacts> read_node_facts(const cgroups::Hierarchies& hierarchies, int64_t pids_limit);

// The settings' default limits and sysctls into `facts`; Invalid names the one that is none.
Status read_defaults(const std::vector<std::string>& ulimits, const std::vector<std::string>& sysctls,
                     plan::NodeFacts& facts);

// What this kernel can do for pods, tried out with a copy of `layers`, where image layers lie.
void probe_mounts(const std::string& layers, plan::NodeFacts& facts);

// For each of config.mounts: is its host path a directory? A missing one is Invalid and named.
Result<std::vector<bool>> stat_mounts(const cri::ContainerConfig& config);

// The nodes behind config.devices; directories are walked.
Result<std::vector<plan::FoundDevice>> find_devices(const cri::ContainerConfig& config);

// Every device node below /dev but those of ptys and the like that each container has its own of. For
// privileged containers only.
Result<std::vector<launch::DeviceNode>> list_host_devices();

// A profile by name is a promise: it has to be loaded. Fine with "".
Status check_apparmor(const std::string& profile);

// The Localhost seccomp profile's text, if the container asks for one; at most 1 MiB.
Result<std::optional<std::string>> read_seccomp_profile(const cri::ContainerConfig& config);

}  // namespace orlop::core
