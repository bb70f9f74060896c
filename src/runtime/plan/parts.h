// The parts that plan.h's functions are put together from, one file a subject. For this directory only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan/plan.h"

namespace orlop::plan {

// text.cpp
// For messages: control characters and bytes outside ASCII as \xNN, cut after 128 characters.
std::string printable(std::string_view text);
// No NUL: it would end the string half way.
Status check_no_nul(std::string_view field, std::string_view text);
// No control characters at all: for names, paths, and what ends up in files made of lines.
Status check_plain(std::string_view field, std::string_view text);
// An absolute path without control characters; "//", "/./", "/../" and a trailing "/" are resolved by text.
Result<std::string> clean_path(std::string_view field, std::string_view path);
// "mounts[3].host_path"
std::string element(std::string_view list, int index, std::string_view field = {});

// process.cpp
Result<std::vector<std::string>> plan_args(const cri::ContainerConfig& config,
                                           const images::ImageConfig& image);
Result<std::vector<std::string>> plan_env(const ContainerRequest& request, const NodeFacts& facts);
Result<std::string> plan_cwd(const cri::ContainerConfig& config, const images::ImageConfig& image);
std::optional<int32_t> plan_oom_score(const cri::LinuxContainerConfig& config, const NodeFacts& facts);
std::vector<launch::Rlimit> plan_rlimits(const NodeFacts& facts);

// security.cpp
Result<launch::User> plan_user(const cri::LinuxContainerSecurityContext& security,
                               const images::ImageConfig& image);
Result<launch::Seccomp> plan_seccomp(const ContainerRequest& request, uint64_t bounding_capabilities);
Result<std::string> plan_apparmor(const cri::LinuxContainerSecurityContext& security);
Result<std::vector<std::string>> plan_paths(std::string_view field, bool privileged,
                                            const google::protobuf::RepeatedPtrField<std::string>& paths);

// capabilities.cpp
Result<launch::Capabilities> plan_capabilities(const cri::LinuxContainerSecurityContext& security,
                                               const NodeFacts& facts);

// namespaces.cpp
Status plan_namespaces(const ContainerRequest& request, const NodeFacts& facts, launch::LaunchPlan& plan);
Status check_sandbox_namespaces(const cri::NamespaceOption& options);
// user_namespace.cpp
Status check_range(std::string_view field, const cri::IDMapping& mapping);
Result<std::optional<UserMaps>> read_user_namespace(const cri::NamespaceOption& options);
bool host_network(const cri::PodSandboxConfig& config);
bool host_ipc(const cri::PodSandboxConfig& config);

// mounts.cpp
Result<std::vector<launch::Mount>> plan_mounts(const ContainerRequest& request, const NodeFacts& facts,
                                               const std::optional<UserMaps>& user);
// The container brings its own /dev: nothing is to be made in there.
bool mounts_dev(const cri::ContainerConfig& config);

// devices.cpp
Result<std::vector<launch::DeviceNode>> plan_devices(const ContainerRequest& request, bool in_user_namespace);
Result<std::vector<cgroups::DeviceRule>> plan_device_rules(const cri::ContainerConfig& config,
                                                           const std::vector<FoundDevice>& devices);

// sysctls.cpp
using Sysctls = std::vector<std::pair<std::string, std::string>>;
// Checked and sorted: only those of namespaces that the pod has for itself.
Result<Sysctls> plan_sysctls(const cri::PodSandboxConfig& config);

}  // namespace orlop::plan
