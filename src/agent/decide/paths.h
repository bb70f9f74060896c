// Every path below the agent's root directory and the pod log directory, in one place.
//
//   <root>/                                        /var/lib/kubelet
//     orlop/agent.lock                             one agent a root
//     orlop/manifests/<file>.json                  last good content of each manifest file
//     pods/<uid>/                                  0750
//       etc-hosts                                  mounted at /etc/hosts
//       containers/<container>/<restarts>          termination message, mounted at its path
//       volumes/kubernetes.io~empty-dir/<volume>   (Memory: a tmpfs)
//     seccomp/<profile>                            Localhost profiles
//   <logs>/<ns>_<name>_<uid>/<container>/<restarts>.log
//
// The parts that come from a manifest are checked names (letters, digits, '-', '.'), never paths.
#pragma once

#include <string>

#include "kube/pod.h"

namespace orlop::agent {

struct Paths {
    std::string root = "/var/lib/kubelet";
    std::string logs = "/var/log/pods";

    std::string pods() const { return root + "/pods"; }
    std::string pod(const std::string& uid) const { return pods() + "/" + uid; }
    std::string hosts(const std::string& uid) const { return pod(uid) + "/etc-hosts"; }
    std::string container(const std::string& uid, const std::string& name) const {
        return pod(uid) + "/containers/" + name;
    }
    std::string message(const std::string& uid, const std::string& name, uint32_t restarts) const {
        return container(uid, name) + "/" + std::to_string(restarts);
    }
    std::string empty_dirs(const std::string& uid) const {
        return pod(uid) + "/volumes/kubernetes.io~empty-dir";
    }
    std::string empty_dir(const std::string& uid, const std::string& volume) const {
        return empty_dirs(uid) + "/" + volume;
    }
    std::string own() const { return root + "/orlop"; }
    std::string seccomp(const std::string& profile) const { return root + "/seccomp/" + profile; }
    static std::string log_name(const kube::ObjectMeta& meta) {
        return meta.ns + "_" + meta.name + "_" + meta.uid;
    }
    std::string log_dir(const kube::ObjectMeta& meta) const { return logs + "/" + log_name(meta); }
};

}  // namespace orlop::agent
