#include <algorithm>

#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

bool in(char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
}

// Words of [a-z0-9_-] joined by dots. The other runtimes were led astray by "/" for "." and by separators of
// their own in values (CVE-2022-0811), so neither gets far here.
bool is_name(std::string_view name) {
    char previous = '.';
    for (const char c : name) {
        const bool plain = in(c, kLetters) || in(c, kDigits);
        if (!plain && !(in(c, "_-") && previous != '.') && !(c == '.' && previous != '.')) return false;
        previous = c;
    }
    return previous != '.';
}

bool is_value(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        return in(c, kLetters) || in(c, kDigits) || (c >= 'A' && c <= 'Z') || in(c, " \t._,:/-");
    });
}

// sysctl(5) files that ipc_namespaces(7) lists.
bool is_ipc(std::string_view name) {
    constexpr std::string_view kNames[] = {"kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                           "kernel.shmmni", "kernel.msgmax",         "kernel.msgmnb",
                                           "kernel.msgmni", "kernel.shm_rmid_forced"};
    return name.starts_with("fs.mqueue.") ||
           std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Status check(const std::string& name, const std::string& value, const cri::PodSandboxConfig& config) {
    const std::string of = "linux.sysctls[\"" + printable(name) + "\"]";
    if (!is_name(name)) return Error::invalid(of + ": not a sysctl's name, words joined by dots");
    if (!is_value(value)) return Error::invalid(of + ": \"" + printable(value) + "\" is no value");
    if (name.starts_with("net.")) {
        if (!host_network(config)) return ok();
        return Error::invalid(of + ": the pod is on the host's network");
    }
    if (is_ipc(name)) {
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
