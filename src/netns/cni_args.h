// An attachment as plugins see it: CNI_ARGS, capability arguments, and the JSON on stdin (CNI SPEC 1.1.0
// sections 2 and 3, CONVENTIONS.md). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "netns/cni.h"
#include "netns/cni_json.h"

namespace orlop::netns {

using CniArgs = std::vector<std::pair<std::string, std::string>>;

// IgnoreUnknown=1 and the K8S_POD_* of the attachment; those that are empty are left out.
Result<CniArgs> cni_args(const Attachment& attachment);
// "K=V;K=V"
std::string cni_args_text(const CniArgs& args);

// Every capability argument that the attachment has a value for: portMappings, bandwidth, dns, cgroupPath,
// io.kubernetes.cri.pod-annotations.
Result<Json> capability_args(const Attachment& attachment);

// Bits per second of a quantity such as "10M" or "1.5Gi"; 1k..1P as the kubelet takes.
Result<int64_t> parse_bandwidth(const std::string& quantity);

// The configuration of one plugin with name, cniVersion, the declared ones of `capabilities` as
// runtimeConfig, and prevResult unless null.
Result<std::string> plugin_input(const NetworkConfig& network, size_t plugin, const Json& capabilities,
                                 const Json& prev_result);

}  // namespace orlop::netns
