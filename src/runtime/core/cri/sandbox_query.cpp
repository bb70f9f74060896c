#include <nlohmann/json.hpp>

#include "netns/netns.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/runtime_spec.h"
#include "runtime/core/cri/tear_down.h"

namespace orlop::core {

namespace {

using nlohmann::json;

json parsed(const std::string& text) {
    json value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json() : value;
}

std::string sandbox_info(const SandboxRecord& r, const Paths& paths) {
    const auto& linux_config = r.config.linux();
    json info = {{"pid", r.pause_pid},
                 {"netNamespaceClosed", !r.netns.empty() && !netns::alive(r.netns)},
                 {"image", ""},
                 {"runtimeType", "orlop"},
                 {"config", parsed(message_json(r.config))},
                 {"cniResult", parsed(r.cni_result)},
                 {"resources", parsed(message_json(linux_config.resources()))}};
    info["runtimeSpec"] = runtime_spec(r);
    info["overhead"] = parsed(message_json(linux_config.overhead()));
    info["sandboxMetadata"] = {{"id", r.id},
                               {"netns", r.netns},
                               {"cgroupPath", r.cgroup_path},
                               {"shimPid", r.shim_pid},
                               {"shimSocket", paths.shim_socket(r.id)}};
    return info.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

cri::ListPodSandboxResponse list_sandboxes(const State& state, const cri::PodSandboxFilter& filter) {
    cri::ListPodSandboxResponse response;
    for (const auto& record : state.sandboxes->list()) {
        // One that is being created is nobody's yet; if it fails it was never there.
        if (record->phase == SandboxPhase::Creating || !matches(filter, *record)) continue;
        *response.add_items() = item_of(*record);
    }
    return response;
}

Result<cri::PodSandboxStatusResponse> sandbox_status(const State& state, const Paths& paths,
                                                     const Clock& clock,
                                                     const cri::PodSandboxStatusRequest& request) {
    const auto record = TRY(state.sandboxes->resolve(request.pod_sandbox_id()));
    cri::PodSandboxStatusResponse response;
    *response.mutable_status() = status_of(*record);
    for (const auto& container : state.containers_of(record->id)) {
        *response.add_containers_statuses() = status_of(*container);
    }
    response.set_timestamp(clock.wall().count());
    if (request.verbose()) (*response.mutable_info())["info"] = sandbox_info(*record, paths);
    return response;
}

}  // namespace orlop::core
