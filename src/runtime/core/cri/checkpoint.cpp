#include "runtime/core/cri/checkpoint.h"

#include <unistd.h>

namespace orlop::core {

namespace {

Error refused(const std::string& what) {
    for (const char* dir : {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/"}) {
        const std::string criu = std::string(dir) + "criu";
        if (access(criu.c_str(), X_OK) == 0)
            return Error::unimplemented(what + ": this release of orlop does not work with " + criu);
    }
    return Error::unimplemented(what + " needs CRIU, which is not installed on this machine");
}

}  // namespace

Status checkpoint_container(const State& state, const cri::CheckpointContainerRequest& request) {
    const auto container = TRY(state.containers->resolve(request.container_id()));
    if (container->phase != ContainerPhase::Running)
        return Error::precondition("checkpoint container " + container->id + ": it does not run");
    return refused("checkpoint of container " + container->id);
}

Status checkpoint_pod(const State& state, const cri::CheckpointPodRequest& request) {
    const auto sandbox = TRY(state.sandboxes->resolve(request.pod_sandbox_id()));
    return refused("checkpoint of sandbox " + sandbox->id);
}

Status restore_pod() {
    return refused("restoring a pod");
}

}  // namespace orlop::core
