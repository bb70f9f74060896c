// Where the files of a node are: the one place that knows the paths.
//
//   node "orlop" (the default)            any other node NAME
//   /run/orlop/                           /run/NAME/                 sockets, what the CLI keeps below:
//     runtime.sock  agent.sock              (the same)
//     lock                                    held while a supervisor lives
//     node.json                               the options of `orlop up`
//     supervisor.json                         pids of the daemons
//     kubelet.yaml                            configuration made for the agent
//     logs/{supervisor,runtime,agent}.log     stderr of the daemons, when not under systemd
//   /var/lib/orlop/                       /var/lib/NAME/             images and state of the runtime
//   /var/lib/kubelet/                     /var/lib/NAME/kubelet/     the agent's root
//   /etc/kubernetes/manifests/            /var/lib/NAME/manifests/   static pods
//   /etc/cni/net.d/                       /var/lib/NAME/cni/net.d/   network configuration
//   /var/lib/cni/                         /var/lib/NAME/cni/cache/   results of CNI ADD
//   /var/log/pods/                        /var/log/NAME-pods/        container logs
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace orlop::cli {

inline constexpr std::string_view kDefaultNode = "orlop";

struct NodePaths {
    std::string name;
    std::string run;
    std::string runtime_socket;
    std::string agent_socket;
    std::string logs;
    std::string state;
    std::string agent_root;
    std::string manifests;
    std::string cni_conf;
    std::string cni_cache;
    std::string pod_logs;

    bool is_default() const { return name == kDefaultNode; }
    std::string in_run(std::string_view file) const { return run + "/" + std::string(file); }
    bool operator==(const NodePaths&) const = default;
};

// Letters, digits and '-', a letter first, at most 40: it becomes a part of paths, sockets (108 bytes,
// unix(7)) and unit names.
Status check_node_name(std::string_view name);
// `name` has passed check_node_name.
NodePaths paths_of(std::string_view name);

}  // namespace orlop::cli
