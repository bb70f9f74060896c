// The forms that Kubernetes demands of names (kubernetes.io, Object Names and IDs; RFC 1123).
#pragma once

#include <string_view>

namespace orlop::kube {

bool is_dns_label(std::string_view text);      // at most 63: a-z 0-9 and '-', not at the ends
bool is_dns_subdomain(std::string_view text);  // labels joined by dots, at most 253
bool is_env_name(std::string_view text);       // printable ASCII without '='
bool is_ip(std::string_view text);             // IPv4 or IPv6
bool is_sysctl(std::string_view text);         // kernel.shm_rmid_forced, net/ipv4/conf...
// Has a ".." component.
bool has_backsteps(std::string_view path);

}  // namespace orlop::kube
