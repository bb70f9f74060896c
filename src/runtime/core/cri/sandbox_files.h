// The files of a sandbox that its containers see in /etc, and its /dev/shm.
#pragma once

#include <string>

#include "runtime/core/paths.h"
#include "runtime/core/state/records.h"

namespace orlop::core {

// resolv.conf(5).
std::string resolv_conf_text(const cri::DNSConfig& dns);
// hosts(5) of a pod with a network of its own.
std::string hosts_text(const std::string& hostname, const std::vector<std::string>& ips);

// hostname and resolv.conf, and hosts: the host's on the host network, else as above.
Status write_sandbox_files(const Paths& paths, const SandboxRecord& sandbox);
// tmpfs, 64 MiB, 1777; unless the pod has the host's IPC.
Status mount_shm(const Paths& paths, const SandboxRecord& sandbox);

}  // namespace orlop::core
