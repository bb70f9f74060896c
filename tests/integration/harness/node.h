// A node under test: one runtime (orlop-runtime, or containerd as the reference) with directories, a pod
// network and a socket of its own.
#pragma once

#include <string>
#include <vector>

#include "harness/crictl.h"
#include "harness/images.h"
#include "harness/process.h"

namespace orlop::it {

//   <base> (/var/lib/orlopit/<name>)    root/        the runtime's --root
//                                       cni/net.d cni/cache cni/ipam
//                                       logs/        pods' logs
//                                       crictl/      configurations that crictl reads
//                                       runtime.log
//   <run> (/run/orlopit/<name>)         state/       the runtime's --state
//                                       runtime.sock
struct NodePaths {
    std::string base, run;
    std::string root, state, socket;
    std::string cni_conf, cni_cache, cni_ipam;
    std::string pod_logs, crictl, log;

    static NodePaths of(const std::string& name);
};

class Node {
  public:
    explicit Node(const std::string& name);
    // Ends the runtime and removes the node's directories.
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    const NodePaths& paths() const { return paths_; }
    // For pods: "/orlopit", or "orlopit.slice" where systemd manages cgroups.
    std::string cgroup_parent() const;
    std::string network_config() const;
    Crictl crictl() const { return {paths_.socket, paths_.crictl}; }
    Process& runtime() { return runtime_; }

    // The runtime that start() starts, as the beginning of a command line; {} is the ordinary one.
    void use_program(std::vector<std::string> program) { program_ = std::move(program); }
    // The command line that start() uses, plus `extra`; for tests of bad flags.
    std::vector<std::string> runtime_argv(const std::vector<std::string>& extra = {}) const;

    // Makes the directories and the network configuration, starts the runtime, and waits until its socket
    // takes connections.
    Status prepare();
    Status start(const std::vector<std::string>& extra = {});
    // SIGTERM; the exit code.
    Result<int> stop();
    // SIGKILL and start again.
    Status restart();

    Status import(const ImageSpec& image);
    // The end of the runtime's log, for messages.
    std::string log_tail() const;

  private:
    Status write_reference_config() const;

    NodePaths paths_;
    std::vector<std::string> program_;
    Process runtime_;
};

// Does something accept connections there?
bool connects(const std::string& unix_socket);

}  // namespace orlop::it
