// May this pod run on this node at all? Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/decide/actions.h"
#include "kube/findings.h"
#include "kube/pod.h"

namespace orlop::agent {

struct AdmissionRules {
    int64_t max_pods = 110;
    std::vector<std::string> unsafe_sysctls;  // names, or prefixes ending in '*'
};

// Why it is rejected, with the reason of the API (OutOfpods, SysctlForbidden, PodOSNotSupported,
// UnsupportedFields); nothing if it may run. `others` counts the pods that run already.
std::optional<Wait> reject(const kube::Pod& pod, const std::vector<kube::Finding>& refusals, size_t others,
                           const AdmissionRules& rules);

}  // namespace orlop::agent
