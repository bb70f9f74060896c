#include "base/fault.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/tear_down.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

// Null: unknown, which is fine for Stop and Remove.
Result<Sandboxes::Ptr> find(const State& state, const std::string& id) {
    auto found = state.sandboxes->resolve(id);
    if (!found && found.error().kind() == Kind::NotFound) return Sandboxes::Ptr();
    return found;
}

Status stop_containers(Parts& parts, const std::string& sandbox) {
    std::optional<Error> first;
    for (const auto& container : parts.state.containers_of(sandbox)) {
        Status stopped = parts.stopper.stop(container->id, Nanos(0));
        if (stopped) stopped = release_cgroup(parts, *container);
        if (stopped) continue;
        first = first ? std::move(*first).also(stopped.error()) : std::move(stopped).error();
    }
    return first ? Status(std::move(*first)) : ok();
}

// For whoever holds the pod.
Status stop_locked(Parts& parts, const std::string& id) {
    auto before = parts.state.sandboxes->get(id);
    if (!before || before->torn_down) return ok();
    auto stopping = TRY(parts.state.sandboxes->update(id, [](SandboxRecord record) {
        record.phase = SandboxPhase::NotReady;
        return record;
    }));
    fault_point("sandbox stopping");
    TRY(stop_containers(parts, id));
    fault_point("containers stopped");
    TRY(tear_down(parts, *stopping));
    fault_point("torn down");
    TRY(parts.state.sandboxes->update(id, [](SandboxRecord record) {
        record.torn_down = true;
        record.shim_pid = record.pause_pid = 0;
        return record;
    }));
    if (before->phase == SandboxPhase::Ready) parts.announcer.announce(cri::CONTAINER_STOPPED_EVENT, id, id);
    return ok();
}

Status remove_locked(Parts& parts, const SandboxRecord& sandbox) {
    TRY(stop_locked(parts, sandbox.id));
    fault_point("sandbox stopped");
    for (const auto& container : parts.state.containers_of(sandbox.id)) {
        TRY(remove_container_locked(parts, *container));
    }
    TRY(parts.state.sandboxes->erase(sandbox.id));
    fault_point("sandbox erased");
    parts.state.names.release(unique_name(sandbox.config.metadata()), sandbox.id);
    parts.announcer.announce(cri::CONTAINER_DELETED_EVENT, sandbox.id, sandbox.id);
    return ok();
}

}  // namespace

Status stop_sandbox(Parts& parts, const std::string& id, Nanos wait) {
    const auto record = TRY(find(parts.state, id));
    if (!record) return ok();
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(record->id, wait));
    return inner(stop_locked(parts, record->id)).under("stop sandbox " + record->id);
}

Status remove_sandbox(Parts& parts, const std::string& id, Nanos wait) {
    const auto record = TRY(find(parts.state, id));
    if (!record) return ok();
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(record->id, wait));
    if (!parts.state.sandboxes->get(record->id)) return ok();
    return inner(remove_locked(parts, *record)).under("remove sandbox " + record->id);
}

}  // namespace orlop::core
