// Network sysctls of a pod, from the names that people write to files below /proc/sys (sysctl(8)).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace orlop::netns {

// "net.ipv4.ip_forward" or "net/ipv4/ip_forward" to "net/ipv4/ip_forward". As in sysctl(8) the first
// separator decides: after a dot, dots separate and a slash stands for a dot in a name
// (net.ipv4.conf.eth0/1.mtu). Invalid for what is not below net/, for "..", empty parts and control
// characters.
Result<std::string> net_sysctl_path(std::string_view name);
// No control characters but tab (several fields); at most 4 KiB.
Status check_sysctl_value(std::string_view value);
// Writes it for the network namespace of the calling thread.
Status write_net_sysctl(const std::string& name, const std::string& value);

}  // namespace orlop::netns
