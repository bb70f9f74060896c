// Network namespaces that live by a bind mount (ip-netns(8) layout), made without forking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::netns {

// One line of uid_map or gid_map (user_namespaces(7)).
struct IdRange {
    uint32_t inside = 0, outside = 0, size = 0;
};

struct NetnsOptions {
    std::string dir = "/run/netns";  // made if missing; not shared-mounted by us (unlike ip-netns, one bind
                                     // mount per namespace)
    std::vector<std::pair<std::string, std::string>> sysctls;  // "net.ipv4.ip_forward" -> "1"; only net.*
    std::string name = {};                                     // "" = cni-<uuid>
    // Both or none: the namespace belongs to a new user namespace with these, which lives as long as it does
    // (ioctl_nsfs(2), NS_GET_USERNS).
    std::optional<IdRange> uids = std::nullopt, gids = std::nullopt;
};

// A name for NetnsOptions::name, for who has to write it down before there is something to lose.
std::string new_name();

// A new namespace at <dir>/<name> with lo up: a short-lived thread unshares, configures it by
// rtnetlink/ioctl, bind-mounts /proc/thread-self/ns/net, and ends. Returns the path.
Result<std::string> create(const NetnsOptions& options);
// umount + unlink; missing is fine.
Status remove(const std::string& path);
// Is it there and an nsfs mount (statfs NSFS_MAGIC)?
bool alive(const std::string& path);

}  // namespace orlop::netns
