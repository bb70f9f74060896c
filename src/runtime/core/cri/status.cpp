#include "runtime/core/cri/status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace orlop::core {

namespace {

using nlohmann::json;

// One and the same: with a name for RuntimeClasses, which cannot be empty.
constexpr const char* kHandlers[] = {"", "orlop"};

void condition(cri::RuntimeStatus& status, const char* type, const Status& state, const char* reason) {
    auto* c = status.add_conditions();
    c->set_type(type);
    c->set_status(state.ok());
    if (state) return;
    c->set_reason(reason);
    c->set_message(state.error().what());
}

json network_json(const netns::NetworkConfig& network) {
    json plugins = json::array();
    for (const std::string& plugin : network.plugins) {
        json value = json::parse(plugin, nullptr, false);
        plugins.push_back(value.is_discarded() ? json(plugin) : value);
    }
    return {{"file", network.file},
            {"name", network.name},
            {"cniVersion", network.cni_version},
            {"plugins", std::move(plugins)}};
}

std::string text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

bool is_handler(const std::string& name) {
    return std::find(std::begin(kHandlers), std::end(kHandlers), name) != std::end(kHandlers);
}

cri::VersionResponse version() {
    cri::VersionResponse response;
    response.set_version("0.1.0");
    response.set_runtime_name("orlop");
    response.set_runtime_version(ORLOP_VERSION);
    response.set_runtime_api_version("v1");
    return response;
}

cri::StatusResponse runtime_status(Networks& networks, const netns::CniRunner& cni,
                                   const plan::NodeFacts& facts, const std::string& config_json,
                                   bool verbose) {
    cri::StatusResponse response;
    const auto network = networks.current();
    const Status network_ready = network ? cni.check_binaries(*network) : Status(network.error());
    condition(*response.mutable_status(), "RuntimeReady", ok(), "");
    condition(*response.mutable_status(), "NetworkReady", network_ready, "NetworkPluginNotReady");
    for (const char* name : kHandlers) {
        auto* handler = response.add_runtime_handlers();
        handler->set_name(name);
        handler->mutable_features()->set_recursive_read_only_mounts(facts.recursive_read_only);
        handler->mutable_features()->set_user_namespaces(facts.user_namespaces);
    }
    auto* features = response.mutable_features();
    features->set_supplemental_groups_policy(true);
    features->set_user_namespaces_host_network(facts.user_namespaces);
    features->set_mount_options(true);
    if (!verbose) return response;
    auto& info = *response.mutable_info();
    info["config"] = config_json;
    info["cniconfig"] = text(network ? network_json(*network) : json());
    info["lastCNILoadStatus"] = network_ready ? "OK" : network_ready.error().what();
    return response;
}

cri::RuntimeConfigResponse runtime_config(const cgroups::Driver& driver) {
    cri::RuntimeConfigResponse response;
    response.mutable_linux()->set_cgroup_driver(driver.name() == "systemd" ? cri::SYSTEMD : cri::CGROUPFS);
    return response;
}

}  // namespace orlop::core
