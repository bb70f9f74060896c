#include "base/fault.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

constexpr Nanos kCgroup = std::chrono::seconds(10);

Result<Containers::Ptr> find(const State& state, const std::string& id) {
    auto found = state.containers->resolve(id);
    if (!found && found.error().kind() == Kind::NotFound) return Containers::Ptr();
    return found;
}

}  // namespace

Status release_cgroup(Parts& parts, const ContainerRecord& container) {
    const auto sandbox = parts.state.sandboxes->get(container.sandbox);
    if (!sandbox || sandbox->cgroup_path.empty()) return ok();
    const cgroups::Cgroup cgroup = parts.cgroup_of(*sandbox, container.id);
    if (!cgroup.exists()) return ok();
    TRY(cgroup.kill_all(kCgroup).under("container " + container.id));
    return cgroup.remove(kCgroup).under("container " + container.id);
}

Status stop_container(Parts& parts, const std::string& id, Nanos grace) {
    const auto record = TRY(find(parts.state, id));
    if (!record) return ok();
    TRY(inner(parts.stopper.stop(record->id, grace)));
    fault_point("stopped");
    // Removed meanwhile by another call, or never started: nothing is left.
    const auto ended = parts.state.containers->get(record->id);
    if (!ended || ended->phase != ContainerPhase::Exited) return ok();
    return inner(release_cgroup(parts, *ended));
}

Status remove_container_locked(Parts& parts, const ContainerRecord& container) {
    TRY(parts.stopper.stop(container.id, Nanos(0)));
    TRY(release_cgroup(parts, container));
    fault_point("container ended");
    TRY(parts.state.containers->erase(container.id));
    fault_point("container erased");
    // After its directory: a pin without a container is released at the next start.
    TRY(parts.images.unpin_layers(container.id));
    parts.state.names.release(unique_name(container.sandbox, container.config.metadata()), container.id);
    parts.announcer.announce_deleted(container);
    return ok();
}

Status remove_container(Parts& parts, const std::string& id, Nanos wait) {
    const auto record = TRY(find(parts.state, id));
    if (!record) return ok();
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(record->sandbox, wait));
    if (!parts.state.containers->get(record->id)) return ok();
    return inner(remove_container_locked(parts, *record)).under("remove container " + record->id);
}

}  // namespace orlop::core
