#include "base/fault.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/pid_target.h"
#include "runtime/core/error_map.h"
#include "runtime/core/host_facts.h"

namespace orlop::core {

namespace {

constexpr Nanos kStart = std::chrono::seconds(60);
constexpr Nanos kCgroup = std::chrono::seconds(5);

Result<shim::Started> start(Parts& parts, const SandboxRecord& sandbox, const ContainerRecord& container) {
    const cgroups::Cgroup cgroup = parts.cgroup_of(sandbox, container.id);
    TRY(cgroup.create().under("cgroup"));
    fault_point("container cgroup");
    const auto devices = TRY(find_devices(container.config));
    TRY(cgroup.apply(TRY(plan::plan_resources(container.config, parts.facts, devices))).under("cgroup"));
    launch::LaunchPlan plan = TRY(load_plan(*parts.state.containers, container.id));
    plan.cgroup = join_of(cgroup);
    if (const std::string target = plan::pid_target(container.config); !target.empty()) {
        const auto other = TRY(running_target(parts.state, sandbox.id, target));
        plan.pid.path = "/proc/" + std::to_string(other->pid) + "/ns/pid";
    }
    std::vector<UniqueFd> fds;
    fds.push_back(TRY(shim::bytes_to_memfd("container-plan", launch::encode(plan))));
    shim::Body reply =
        TRY(parts.hub.call(sandbox.id,
                           shim::StartContainer{.log_path = container.log_path,
                                                .stdin_open = container.config.stdin(),
                                                .stdin_once = container.config.stdin_once(),
                                                .log_directory = sandbox.config.log_directory()},
                           std::move(fds), kStart));
    auto* started = std::get_if<shim::Started>(&reply);
    if (started == nullptr) return Error::failed("the shim answered a start with something else");
    return std::move(*started);
}

ContainerRecord running(ContainerRecord record, const shim::Started& started) {
    // Its shim may have died since: then the end is on record already.
    if (record.phase == ContainerPhase::Starting) record.phase = ContainerPhase::Running;
    if (record.phase == ContainerPhase::Running) record.pid = started.pid;
    record.started_at = started.started_at;
    record.uid = started.uid;
    record.gid = started.gid;
    record.groups.assign(started.groups.begin(), started.groups.end());
    return record;
}

// Whatever half started is killed, and the container ends as StartError.
Error give_up(Parts& parts, const SandboxRecord& sandbox, const ContainerRecord& container, Error error) {
    const cgroups::Cgroup cgroup = parts.cgroup_of(sandbox, container.id);
    Status cleaned = cgroup.kill_all(kCgroup);
    if (cleaned) cleaned = cgroup.remove(kCgroup);
    if (!cleaned) error = std::move(error).also(cleaned.error());
    auto ended = parts.state.containers->update(container.id, [&](ContainerRecord record) {
        if (record.phase == ContainerPhase::Exited) return record;
        return start_failed(std::move(record), error.what(), parts.clock.wall().count());
    });
    if (!ended) return std::move(error).also(ended.error());
    parts.announcer.announce(cri::CONTAINER_STOPPED_EVENT, container.id, sandbox.id);
    return error;
}

const char* name_of(ContainerPhase phase) {
    switch (phase) {
        case ContainerPhase::Created:
            return "created";
        case ContainerPhase::Starting:
            return "starting";
        case ContainerPhase::Running:
            return "running";
        case ContainerPhase::Exited:
            return "exited";
    }
    return "unknown";
}

}  // namespace

Status start_container(Parts& parts, const std::string& id, Nanos wait) {
    const auto found = TRY(parts.state.containers->resolve(id));
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(found->sandbox, wait));
    const Containers::Ptr container = TRY(parts.state.containers->resolve(found->id));
    const Sandboxes::Ptr sandbox = TRY(inner(parts.state.sandboxes->resolve(container->sandbox)));
    if (container->phase != ContainerPhase::Created) {
        return Error::precondition("container " + container->id + " is " + name_of(container->phase) +
                                   ": only a created one can be started");
    }
    if (sandbox->phase != SandboxPhase::Ready) {
        return Error::precondition("sandbox " + sandbox->id + " of container " + container->id +
                                   " is not ready");
    }
    TRY(inner(parts.state.containers->update(container->id, [](ContainerRecord record) {
        record.phase = ContainerPhase::Starting;
        return record;
    })));
    // Closed at the end, after STARTED: an end that comes meanwhile waits for that.
    const auto window = parts.lifecycle.starting(container->id);
    fault_point("starting");
    auto started = start(parts, *sandbox, *container);
    fault_point("started");
    if (!started) {
        return not_of_the_object(
            give_up(parts, *sandbox, *container,
                    std::move(started).error().under("start container " + container->id)));
    }
    TRY(inner(parts.state.containers->update(
        container->id, [&](ContainerRecord record) { return running(std::move(record), *started); })));
    fault_point("running");
    parts.announcer.announce(cri::CONTAINER_STARTED_EVENT, container->id, sandbox->id);
    return ok();
}

}  // namespace orlop::core
