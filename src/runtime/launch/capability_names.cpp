#include "runtime/launch/capability_names.h"

#include <linux/capability.h>

#include <iterator>

namespace orlop::launch {

namespace {

constexpr std::string_view kNames[] = {"CHOWN",
                                       "DAC_OVERRIDE",
                                       "DAC_READ_SEARCH",
                                       "FOWNER",
                                       "FSETID",
                                       "KILL",
                                       "SETGID",
                                       "SETUID",
                                       "SETPCAP",
                                       "LINUX_IMMUTABLE",
                                       "NET_BIND_SERVICE",
                                       "NET_BROADCAST",
                                       "NET_ADMIN",
                                       "NET_RAW",
                                       "IPC_LOCK",
                                       "IPC_OWNER",
                                       "SYS_MODULE",
                                       "SYS_RAWIO",
                                       "SYS_CHROOT",
                                       "SYS_PTRACE",
                                       "SYS_PACCT",
                                       "SYS_ADMIN",
                                       "SYS_BOOT",
                                       "SYS_NICE",
                                       "SYS_RESOURCE",
                                       "SYS_TIME",
                                       "SYS_TTY_CONFIG",
                                       "MKNOD",
                                       "LEASE",
                                       "AUDIT_WRITE",
                                       "AUDIT_CONTROL",
                                       "SETFCAP",
                                       "MAC_OVERRIDE",
                                       "MAC_ADMIN",
                                       "SYSLOG",
                                       "WAKE_ALARM",
                                       "BLOCK_SUSPEND",
                                       "AUDIT_READ",
                                       "PERFMON",
                                       "BPF",
                                       "CHECKPOINT_RESTORE"};
static_assert(std::size(kNames) == CAP_CHECKPOINT_RESTORE + 1);

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same(std::string_view given, std::string_view upper_case) {
    if (given.size() != upper_case.size()) return false;
    for (size_t i = 0; i < given.size(); ++i) {
        if (upper(given[i]) != upper_case[i]) return false;
    }
    return true;
}

}  // namespace

bool same_ignoring_case(std::string_view given, std::string_view upper_case) {
    return same(given, upper_case);
}

std::string_view capability_name(unsigned number) {
    return number < std::size(kNames) ? kNames[number] : std::string_view();
}

std::optional<unsigned> capability_number(std::string_view name) {
    if (name.size() > 4 && same(name.substr(0, 4), "CAP_")) name.remove_prefix(4);
    for (unsigned i = 0; i < std::size(kNames); ++i) {
        if (same(name, kNames[i])) return i;
    }
    return std::nullopt;
}

uint64_t all_capabilities() {
    return (uint64_t{1} << std::size(kNames)) - 1;
}

}  // namespace orlop::launch
