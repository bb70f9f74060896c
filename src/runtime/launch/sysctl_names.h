// Which sysctls a container may have, and whose they are (sysctl(5), ipc_namespaces(7),
// network_namespaces(7)).
#pragma once

#include <cstdint>
#include <string_view>

namespace orlop::launch {

// Words of [a-z0-9_-] joined by dots. The other runtimes were led astray by "/" for "." and by separators of
// their own in values (CVE-2022-0811), so neither gets far here.
bool is_sysctl_name(std::string_view name);
bool is_sysctl_value(std::string_view value);

// The namespace that keeps the value; Machine = there is none, it would change the whole host.
enum class SysctlOwner : uint8_t { Network, Ipc, Uts, Machine };
SysctlOwner sysctl_owner(std::string_view name);

}  // namespace orlop::launch
