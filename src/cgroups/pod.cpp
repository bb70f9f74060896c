#include "cgroups/pod.h"

#include "cgroups/files.h"

namespace orlop::cgroups {

Status fill_pod(const Hierarchies& h, const std::string& path, const PodRequest& request) {
    const Cgroup pod(h, path);
    TRY(pod.create());
    TRY(pod.apply(request.resources));
    const Cgroup leaf = pod.child("shim");
    TRY(make_directories(h, leaf.path()));
    for (const pid_t pid : request.pids) TRY(leaf.add(pid));
    // Only now: a v2 cgroup with processes of its own cannot hand controllers down (cgroups(7), no internal
    // processes).
    if (h.version == Version::V2) TRY(enable_controllers(h.root + path, h.complete));
    return ok();
}

Status empty_pod(const Cgroup& pod) {
    TRY(pod.kill_all(kKillTimeout));
    return pod.remove(kRemoveTimeout);
}

}  // namespace orlop::cgroups
