// What the command line says, after CLI11 has read it and before anything is done.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/node_paths.h"

namespace orlop::cli {

// Of every subcommand.
struct Common {
    std::string node = std::string(kDefaultNode);
    std::string endpoint;  // --runtime-endpoint; "" = the node's runtime
    bool json = false;     // -o json

    NodePaths paths() const { return paths_of(node); }
    std::string runtime_endpoint() const {
        return endpoint.empty() ? "unix://" + paths().runtime_socket : endpoint;
    }
};

// How the daemons of a node are started; kept in <run>/node.json for the supervisor and for `down`.
struct NodeOptions {
    std::string bin_dir;
    std::string cni_bin_dir;    // "": the runtime's default
    std::string cgroup_driver;  // "": what fits the host
    std::string manifests;
    std::string cni_conf;
    int healthz_port = -1;  // -1: the kubelet's for the default node, none for others

    bool operator==(const NodeOptions&) const = default;
};

struct UpOptions {
    NodeOptions node;
    int wait_seconds = -1;  // -1: do not wait for pods
};

struct DownOptions {
    bool purge = false;
    bool keep_pods = false;
};

struct PullOptions {
    std::string reference;
    std::string credentials;  // USER:PASSWORD, "" = what the node's files say
};

struct LogsOptions {
    std::string pod;
    std::string container;
    int64_t tail = -1;  // lines; -1 = all
    bool follow = false;
    bool previous = false;
    bool timestamps = false;
};

struct ImportOptions {
    std::string file;    // archive or OCI layout; or
    std::string rootfs;  // directory or tar
    std::string reference;
    std::vector<std::string> entrypoint;
    std::vector<std::string> cmd;
    std::vector<std::string> env;
    std::string workdir;
    std::string user;
};

}  // namespace orlop::cli
