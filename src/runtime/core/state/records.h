// What is kept about a sandbox and a container: <root>/sandboxes/<id>/sandbox.json and
// <root>/containers/<id>/container.json. The CRI configuration is kept as the serialized message (base64), so
// that labels, annotations and fields that we do not read come back byte for byte.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cri/api.pb.h"

namespace orlop::core {

namespace cri = ::runtime::v1;

enum class SandboxPhase {
    Creating,  // RunPodSandbox is at work; found at start, it is undone
    Ready,
    NotReady,  // stopped, lost its shim, or its creation could not be undone
};

struct SandboxRecord {
    static constexpr const char* kFile = "sandbox.json";
    static constexpr const char* kWhat = "sandbox";
    std::string id;
    cri::PodSandboxConfig config;
    std::string handler;
    SandboxPhase phase = SandboxPhase::Creating;
    int64_t created_at = 0;        // ns since the epoch, as all times here
    std::string netns;             // path; "" = host network
    bool attached = false;         // CNI ADD was begun: a DEL is due
    std::vector<std::string> ips;  // the primary one first
    std::string cni_result;        // JSON, verbatim
    std::string cgroup_path;       // of cgroups::Cgroup; "" before it exists
    int32_t shim_pid = 0;
    int32_t pause_pid = 0;
    bool torn_down = false;  // everything outside of the record is given back
};

enum class ContainerPhase { Created, Starting, Running, Exited };

struct ContainerRecord {
    static constexpr const char* kFile = "container.json";
    static constexpr const char* kWhat = "container";
    std::string id;
    std::string sandbox;
    cri::ContainerConfig config;
    ContainerPhase phase = ContainerPhase::Created;
    int64_t created_at = 0, started_at = 0, finished_at = 0;  // 0 = not yet
    int32_t exit_code = 0;
    std::string reason, message;
    std::string image_id, image_ref;
    std::string log_path;  // absolute; "" = no log
    int32_t stop_signal = 15;
    int32_t pid = 0;
    int64_t uid = 0, gid = 0;
    std::vector<int64_t> groups;
    std::map<std::string, std::string> image_volumes;  // index in config.mounts -> id of the image
};

std::string encode(const SandboxRecord& record);
std::string encode(const ContainerRecord& record);
// Errors say what is wrong with the text.
Result<SandboxRecord> decode_sandbox(std::string_view json);
Result<ContainerRecord> decode_container(std::string_view json);

inline Result<SandboxRecord> decode_record(std::string_view json, const SandboxRecord*) {
    return decode_sandbox(json);
}
inline Result<ContainerRecord> decode_record(std::string_view json, const ContainerRecord*) {
    return decode_container(json);
}

// The names that are unique on the node: (namespace, name, uid, attempt), and (name, attempt) in its sandbox.
std::string unique_name(const cri::PodSandboxMetadata& metadata);
std::string unique_name(const std::string& sandbox_id, const cri::ContainerMetadata& metadata);

// The record after its container's end. `code` is 128+n after signal n.
ContainerRecord exited(ContainerRecord record, int32_t code, bool oom, int64_t finished_at);
// The end that nobody saw: reason Unknown, 255.
ContainerRecord lost(ContainerRecord record, const std::string& message, int64_t now);
// A start that failed: reason StartError, 128.
ContainerRecord start_failed(ContainerRecord record, const std::string& message, int64_t now);

}  // namespace orlop::core
