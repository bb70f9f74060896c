// The v1 Pod as a node agent needs it (kubernetes.io, API reference, Pod v1 core). Fields that only mean
// something to an API server or a scheduler are kept as JSON in `other` and printed again.
//
// Units: sizes in bytes inside Quantity, times in seconds where the API says seconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kube/document.h"
#include "kube/duration.h"
#include "kube/quantity.h"

namespace orlop::kube {

using Others = std::map<std::string, Json, std::less<>>;

enum class Protocol { Tcp, Udp, Sctp };
enum class RestartPolicy { Always, OnFailure, Never };
enum class ContainerRestartPolicy { Unset, Always };
enum class PullPolicy { Unset, Always, IfNotPresent, Never };
enum class DnsPolicy { ClusterFirst, ClusterFirstWithHostNet, Default, None };
enum class MountPropagation { None, HostToContainer, Bidirectional };
enum class Medium { Default, Memory };
enum class HostPathType {
    Unset,
    DirectoryOrCreate,
    Directory,
    FileOrCreate,
    File,
    Socket,
    CharDevice,
    BlockDevice
};
enum class ProfileType { RuntimeDefault, Unconfined, Localhost };
enum class MessagePolicy { File, FallbackToLogsOnError };

struct ObjectMeta {
    std::string name;
    std::string ns;
    std::string uid;
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> annotations;
    Time created;
    Time deleted;
    std::optional<int64_t> deletion_grace_s;
    Others other;
};

struct FieldSelector {
    std::string api_version;
    std::string field_path;
};
struct ResourceSelector {
    std::string container;
    std::string resource;
    std::optional<Quantity> divisor;
};
struct EnvSource {
    std::optional<FieldSelector> field_ref;
    std::optional<ResourceSelector> resource_ref;
};
struct EnvVar {
    std::string name;
    std::string value;
    std::optional<EnvSource> from;
};

struct ContainerPort {
    std::string name;
    int32_t container_port = 0;
    int32_t host_port = 0;
    std::string host_ip;
    Protocol protocol = Protocol::Tcp;
};

using ResourceList = std::map<std::string, Quantity>;
struct Resources {
    ResourceList limits;
    ResourceList requests;
};

struct VolumeMount {
    std::string name;
    std::string mount_path;
    bool read_only = false;
    MountPropagation propagation = MountPropagation::None;
};

struct Capabilities {
    std::vector<std::string> add;
    std::vector<std::string> drop;
};
struct SecurityProfile {
    ProfileType type = ProfileType::RuntimeDefault;
    std::string localhost;
};
struct ContainerSecurity {
    std::optional<Capabilities> capabilities;
    std::optional<bool> privileged;
    std::optional<int64_t> run_as_user;
    std::optional<int64_t> run_as_group;
    std::optional<bool> run_as_non_root;
    std::optional<bool> read_only_root;
    std::optional<bool> allow_escalation;
    std::optional<SecurityProfile> seccomp;
};

struct Container {
    std::string name;
    std::string image;
    std::vector<std::string> command;
    std::vector<std::string> args;
    std::string working_dir;
    std::vector<ContainerPort> ports;
    std::vector<EnvVar> env;
    Resources resources;
    std::vector<VolumeMount> mounts;
    PullPolicy pull_policy = PullPolicy::Unset;
    std::optional<ContainerSecurity> security;
    ContainerRestartPolicy restart_policy = ContainerRestartPolicy::Unset;  // init containers only
    std::string message_path;
    MessagePolicy message_policy = MessagePolicy::File;
    bool tty = false;
    bool standard_input = false;
    bool stdin_once = false;
    // Of the container as it was written: another value means another container.
    std::string hash;

    // A sidecar: an init container that keeps running.
    bool restartable_init() const { return restart_policy == ContainerRestartPolicy::Always; }
};

struct EmptyDir {
    Medium medium = Medium::Default;
    std::optional<Quantity> size_limit;
};
struct HostPath {
    std::string path;
    HostPathType type = HostPathType::Unset;
};
struct Volume {
    std::string name;
    std::optional<EmptyDir> empty_dir;
    std::optional<HostPath> host_path;
};

struct Sysctl {
    std::string name;
    std::string value;
};
struct PodSecurity {
    std::optional<int64_t> run_as_user;
    std::optional<int64_t> run_as_group;
    std::optional<bool> run_as_non_root;
    std::optional<int64_t> fs_group;
    std::vector<int64_t> supplemental_groups;
    std::optional<SecurityProfile> seccomp;
    std::vector<Sysctl> sysctls;
};

struct DnsOption {
    std::string name;
    std::optional<std::string> value;
};
struct DnsConfig {
    std::vector<std::string> nameservers;
    std::vector<std::string> searches;
    std::vector<DnsOption> options;
};
struct HostAlias {
    std::string ip;
    std::vector<std::string> hostnames;
};

struct PodSpec {
    std::vector<Container> init_containers;
    std::vector<Container> containers;
    std::vector<Volume> volumes;
    RestartPolicy restart_policy = RestartPolicy::Always;
    std::optional<int64_t> grace_s;  // defaulted to 30
    DnsPolicy dns_policy = DnsPolicy::ClusterFirst;
    std::optional<DnsConfig> dns_config;
    std::string node_name;
    bool host_network = false;
    bool host_pid = false;
    bool host_ipc = false;
    bool share_process_namespace = false;
    std::optional<PodSecurity> security;
    std::string hostname;
    std::vector<HostAlias> host_aliases;
    std::string priority_class;
    std::optional<int32_t> priority;
    Others other;

    int64_t grace() const { return grace_s.value_or(30); }
};

struct Pod {
    ObjectMeta meta;
    PodSpec spec;
    // namespace/name
    std::string full_name() const { return meta.ns + "/" + meta.name; }
};

}  // namespace orlop::kube
