// What a pod needs on the node's disk: its directories, volumes, hosts file, termination messages.
#pragma once

#include <string>
#include <vector>

#include "agent/decide/plan.h"
#include "base/result.h"
#include "kube/pod.h"

namespace orlop::agent {

// Idempotent: directories, emptyDir volumes (Memory: a tmpfs), hostPath checks, the log directory.
Status prepare_pod_files(const kube::Pod& pod, const NodeFacts& node);
// Written anew when the pod's addresses are known.
Status write_hosts_file(const kube::Pod& pod, const NodeFacts& node, const std::vector<std::string>& ips);
// An empty file for the container's last words.
Status prepare_message_file(const kube::Pod& pod, const std::string& container, uint32_t restarts,
                            const Paths& paths);
// At most 4096 bytes, the end of it; "" if there is none.
std::string read_message(const std::string& uid, const std::string& container, uint32_t restarts,
                         const Paths& paths);
// Unmounts and removes everything of the pod, its logs included. Missing is fine.
Status remove_pod_files(const kube::ObjectMeta& meta, const Paths& paths);

}  // namespace orlop::agent
