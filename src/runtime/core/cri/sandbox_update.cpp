#include "runtime/core/cri/resource_update.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

Status update_sandbox(Parts& parts, const cri::UpdatePodSandboxResourcesRequest& request, Nanos wait) {
    const auto found = TRY(parts.state.sandboxes->resolve(request.pod_sandbox_id()));
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(found->id, wait));
    const Sandboxes::Ptr sandbox = TRY(parts.state.sandboxes->resolve(found->id));
    cri::LinuxPodSandboxConfig next = sandbox->config.linux();
    if (request.has_overhead()) *next.mutable_overhead() = merged(next.overhead(), request.overhead());
    if (request.has_resources()) *next.mutable_resources() = merged(next.resources(), request.resources());
    const std::string whose = "update sandbox " + sandbox->id;
    TRY(inner(plan::plan_limits(next.overhead(), parts.facts)).under(whose + ": overhead"));
    TRY(inner(plan::plan_limits(next.resources(), parts.facts)).under(whose + ": resources"));
    TRY(inner(parts.state.sandboxes->update(sandbox->id, [&](SandboxRecord record) {
        *record.config.mutable_linux() = next;
        return record;
    })));
    return ok();
}

}  // namespace orlop::core
