#include "runtime/launch/sysctl_names.h"

#include <algorithm>
#include <iterator>

namespace orlop::launch {

namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

bool in(char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
}

// sysctl(5) files that ipc_namespaces(7) lists.
bool is_ipc(std::string_view name) {
    constexpr std::string_view kNames[] = {"kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                           "kernel.shmmni", "kernel.msgmax",         "kernel.msgmnb",
                                           "kernel.msgmni", "kernel.shm_rmid_forced"};
    return name.starts_with("fs.mqueue.") ||
           std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

bool is_sysctl_name(std::string_view name) {
    char previous = '.';
    for (const char c : name) {
        const bool plain = in(c, kLetters) || in(c, kDigits);
        if (!plain && !(in(c, "_-") && previous != '.') && !(c == '.' && previous != '.')) return false;
        previous = c;
    }
    return previous != '.';
}

bool is_sysctl_value(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        return in(c, kLetters) || in(c, kDigits) || (c >= 'A' && c <= 'Z') || in(c, " \t._,:/-");
    });
}

SysctlOwner sysctl_owner(std::string_view name) {
    if (name.starts_with("net.")) return SysctlOwner::Network;
    if (is_ipc(name)) return SysctlOwner::Ipc;
    const bool uts = name == "kernel.hostname" || name == "kernel.domainname";
    return uts ? SysctlOwner::Uts : SysctlOwner::Machine;
}

}  // namespace orlop::launch
