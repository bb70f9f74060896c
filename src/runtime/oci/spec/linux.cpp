#include <sys/personality.h>

#include <algorithm>

#include "base/weak.h"
#include "runtime/launch/sysctl_names.h"
#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

using launch::LaunchPlan;
using launch::NsFrom;

Status check_sysctl(const Field& from, const std::string& name, const std::string& value,
                    const LaunchPlan& plan) {
    if (weakened("sysctl-names")) return ok();
    if (!launch::is_sysctl_name(name)) return from.wrong("not a sysctl's name, words joined by dots");
    if (!launch::is_sysctl_value(value)) return from.wrong("has a character that no sysctl's value has");
    switch (launch::sysctl_owner(name)) {
        case launch::SysctlOwner::Network:
            return plan.net.from == NsFrom::Host ? Status(from.wrong("needs a network namespace")) : ok();
        case launch::SysctlOwner::Ipc:
            return plan.ipc.from == NsFrom::Host ? Status(from.wrong("needs an ipc namespace")) : ok();
        case launch::SysctlOwner::Uts:
            if (plan.uts.from == NsFrom::Host) return from.wrong("needs a uts namespace");
            return name == "kernel.domainname" ? ok() : Status(from.wrong("is set by hostname"));
        case launch::SysctlOwner::Machine:
            break;
    }
    return from.wrong("is not namespaced, it would change the whole machine");
}

Status read_sysctls(const Field& from, LaunchPlan& plan) {
    for (const auto& [name, value] : TRY(from.members())) {
        std::string text = *TRY(value.text());
        TRY(check_sysctl(value, name, text, plan));
        plan.sysctls.emplace_back(name, std::move(text));
    }
    return ok();
}

Result<std::vector<std::string>> read_paths(const Field& list) {
    std::vector<std::string> out = TRY(list.texts());
    for (std::string& path : out) {
        if (path.empty() || path.front() != '/') return list.wrong("\"" + path + "\" must be absolute");
        path = clean_absolute(path);
    }
    return out;
}

Status read_personality(const Field& from, launch::Process& process) {
    if (!from.there()) return ok();
    const std::string domain = TRY(from["domain"].required_text());
    if (domain == "LINUX") {
        process.personality = PER_LINUX;
    } else if (domain == "LINUX32") {
        process.personality = PER_LINUX32;
    } else {
        return from["domain"].wrong("must be LINUX or LINUX32");
    }
    const std::vector<std::string> flags = TRY(from["flags"].texts());
    return flags.empty() ? ok() : Status(from["flags"].wrong("the specification knows none"));
}

bool is_device_name(const std::string& name) {
    return !name.empty() && name.size() < 16 && name != "." && name != ".." &&
           name.find_first_of("/: \t\n") == std::string::npos;
}

Status read_net_devices(const Field& from, LaunchPlan& plan) {
    for (const auto& [host, one] : TRY(from.members())) {
        const std::string name = TRY(one["name"].text_or(host));
        if (!is_device_name(host)) return one.wrong("is no name of a network device");
        if (!is_device_name(name)) return one["name"].wrong("is no name of a network device");
        plan.net_devices.push_back({host, name});
    }
    if (!plan.net_devices.empty() && plan.net.from == NsFrom::Host)
        return from.wrong("needs a network namespace");
    return ok();
}

}  // namespace

Status read_memory_policy(const Field& from, launch::Process& out);

Status read_linux(const Field& from, ContainerSpec& spec) {
    LaunchPlan& plan = spec.plan;
    TRY(read_sysctls(from["sysctl"], plan));
    plan.masked_paths = TRY(read_paths(from["maskedPaths"]));
    plan.readonly_paths = TRY(read_paths(from["readonlyPaths"]));
    plan.mount_label = TRY(from["mountLabel"].text_or(""));
    TRY(read_personality(from["personality"], plan.process));
    TRY(read_memory_policy(from["memoryPolicy"], plan.process));
    TRY(read_net_devices(from["netDevices"], plan));
    if (from["intelRdt"].there()) return Error::unimplemented("linux.intelRdt: resctrl is not supported");
    spec.cgroups_path = TRY(from["cgroupsPath"].text_or(""));
    spec.seccomp_profile = from["seccomp"].dump();
    return from["seccomp"].object();
}

}  // namespace orlop::oci
