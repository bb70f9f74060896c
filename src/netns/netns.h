// Network namespaces that live by a bind mount (ip-netns(8) layout), made without forking.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::netns {

struct NetnsOptions {
    std::string dir = "/run/netns";  // made if missing; not shared-mounted by us (unlike ip-netns, one bind
                                     // mount per namespace)
    std::vector<std::pair<std::string, std::string>> sysctls;  // "net.ipv4.ip_forward" -> "1"; only net.*
};

// A new namespace at <dir>/cni-<uuid> with lo up: a short-lived thread unshares, configures it by
// rtnetlink/ioctl, bind-mounts /proc/thread-self/ns/net, and ends. Returns the path.
Result<std::string> create(const NetnsOptions& options);
// umount + unlink; missing is fine.
Status remove(const std::string& path);
// Is it there and an nsfs mount (statfs NSFS_MAGIC)?
bool alive(const std::string& path);

}  // namespace orlop::netns
