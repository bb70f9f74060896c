#include <nlohmann/json.hpp>

#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/runtime_spec.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

using nlohmann::json;

constexpr Nanos kReopen = std::chrono::seconds(10);

json parsed(const std::string& text) {
    json value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json() : value;
}

std::string container_info(const State& state, const ContainerRecord& r) {
    json info = {{"sandboxID", r.sandbox}, {"pid", r.pid},
                 {"removing", false},      {"snapshotKey", r.id},
                 {"runtimeType", "orlop"}, {"config", parsed(message_json(r.config))}};
    auto plan = load_plan(*state.containers, r.id);
    info["runtimeSpec"] = plan ? runtime_spec(*plan, r) : json();
    return info.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

cri::ListContainersResponse list_containers(const State& state, const cri::ContainerFilter& filter) {
    cri::ListContainersResponse response;
    for (const auto& record : state.containers->list()) {
        if (matches(filter, *record)) *response.add_containers() = item_of(*record);
    }
    return response;
}

Result<cri::ContainerStatusResponse> container_status(const State& state,
                                                      const cri::ContainerStatusRequest& request) {
    const auto record = TRY(state.containers->resolve(request.container_id()));
    cri::ContainerStatusResponse response;
    *response.mutable_status() = status_of(*record);
    if (request.verbose()) (*response.mutable_info())["info"] = container_info(state, *record);
    return response;
}

Status reopen_log(const State& state, ShimHub& hub, const std::string& id) {
    const auto record = TRY(state.containers->resolve(id));
    if (record->phase != ContainerPhase::Running) {
        return Error::precondition("container " + record->id + " does not run: it has no open log");
    }
    auto reply = inner(hub.call(record->sandbox, shim::ReopenLog{.container = record->id}, {}, kReopen));
    if (!reply) return std::move(reply).error().under("reopen log of container " + record->id);
    return ok();
}

}  // namespace orlop::core
