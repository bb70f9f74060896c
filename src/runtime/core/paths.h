// Every path that the daemon keeps, in one place.
//
//   <root> (/var/lib/orlop), 0700              survives a reboot
//     images/                                  images::Store
//     sandboxes/<id>/sandbox.json              SandboxRecord
//                    netns                     symlink to its network namespace, for a broken record
//                    hostname hosts resolv.conf    bound into the containers' /etc
//     containers/<id>/container.json           ContainerRecord
//                     plan                     encoded launch::LaunchPlan, without its cgroup
//                     upper/ work/             the container's overlayfs layer
//     broken/<id>                              what could not be read, kept for people to look at
//
//   <state> (/run/orlop), 0700                 gone after a reboot
//     runtime.sock                             CRI and orlop.v1 (the default of --listen)
//     staging/                                 empty; new roots are attached here, each in its own namespace
//     sandboxes/<id>/shm                       tmpfs, the pod's /dev/shm
//     shims/<id>/shim.sock shim.log            one shim a pod
//                exits/<container id>          exit records that the daemon has not taken over yet
#pragma once

#include <string>

namespace orlop::core {

struct Paths {
    std::string root = "/var/lib/orlop";
    std::string state = "/run/orlop";
    std::string netns_dir = "/run/netns";

    std::string images() const { return root + "/images"; }
    std::string sandboxes() const { return root + "/sandboxes"; }
    std::string containers() const { return root + "/containers"; }
    std::string broken() const { return root + "/broken"; }
    std::string sandbox(const std::string& id) const { return sandboxes() + "/" + id; }
    std::string container(const std::string& id) const { return containers() + "/" + id; }

    std::string staging() const { return state + "/staging"; }
    std::string shims() const { return state + "/shims"; }
    std::string shim(const std::string& id) const { return shims() + "/" + id; }
    std::string shim_socket(const std::string& id) const { return shim(id) + "/shim.sock"; }
    std::string volatile_sandboxes() const { return state + "/sandboxes"; }
    std::string volatile_sandbox(const std::string& id) const { return volatile_sandboxes() + "/" + id; }
    std::string shm(const std::string& id) const { return volatile_sandbox(id) + "/shm"; }
};

}  // namespace orlop::core
