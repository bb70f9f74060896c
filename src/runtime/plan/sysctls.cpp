#include <algorithm>

#include "base/weak.h"
#include "runtime/launch/sysctl_names.h"
#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

Status check(const std::string& name, const std::string& value, const cri::PodSandboxConfig& config) {
    if (weakened("sysctl-check")) return ok();
    const std::string of = "linux.sysctls[\"" + printable(name) + "\"]";
    if (!launch::is_sysctl_name(name))
        return Error::invalid(of + ": not a sysctl's name, words joined by dots");
    if (!launch::is_sysctl_value(value))
        return Error::invalid(of + ": \"" + printable(value) + "\" is no value");
    if (launch::sysctl_owner(name) == launch::SysctlOwner::Network) {
        if (!host_network(config)) return ok();
        return Error::invalid(of + ": the pod is on the host's network");
    }
    if (launch::sysctl_owner(name) == launch::SysctlOwner::Ipc) {
        if (!host_ipc(config)) return ok();
        return Error::invalid(of + ": the pod is in the host's IPC namespace");
    }
    return Error::invalid(of + ": not namespaced, it would change the whole machine");
}

}  // namespace

Result<Sysctls> plan_sysctls(const cri::PodSandboxConfig& config) {
    Sysctls sysctls;
    for (const auto& [name, value] : config.linux().sysctls()) {
        TRY(check(name, value, config));
        sysctls.emplace_back(name, value);
    }
    std::sort(sysctls.begin(), sysctls.end());
    return sysctls;
}

}  // namespace orlop::plan
