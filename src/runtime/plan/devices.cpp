#include <algorithm>

#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

using cgroups::DeviceRule;
using launch::DeviceNode;

// runtime-spec config-linux.md, "Default Devices"; numbers from the kernel's admin-guide/devices.
std::vector<DeviceNode> default_nodes() {
    return {{"/dev/null", 'c', 1, 3}, {"/dev/zero", 'c', 1, 5},   {"/dev/full", 'c', 1, 7},
            {"/dev/tty", 'c', 5, 0},  {"/dev/random", 'c', 1, 8}, {"/dev/urandom", 'c', 1, 9}};
}

// Making nodes is harmless where using them is not allowed. 136 are the pseudo terminals of all devpts
// instances.
std::vector<DeviceRule> default_rules() {
    std::vector<DeviceRule> rules = {
        {false, 'a', -1, -1, "rwm"}, {true, 'c', -1, -1, "m"}, {true, 'b', -1, -1, "m"}};
    for (const DeviceNode& node : default_nodes()) {
        rules.push_back({true, node.type, node.major, node.minor, "rwm"});
    }
    rules.push_back({true, 'c', 5, 1, "rwm"});     // /dev/console
    rules.push_back({true, 'c', 5, 2, "rwm"});     // /dev/ptmx
    rules.push_back({true, 'c', 136, -1, "rwm"});  // /dev/pts
    return rules;
}

// The executor makes these, or the container has its own.
bool is_the_containers_own(const std::string& path) {
    for (const std::string_view under : {"/dev/pts/", "/dev/shm/", "/dev/mqueue/", "/dev/fd/"}) {
        if (path.starts_with(under)) return true;
    }
    for (const std::string_view name : {"/dev/console", "/dev/ptmx"}) {
        if (path == name) return true;
    }
    return false;
}

void put(std::vector<DeviceNode>& nodes, DeviceNode node) {
    const auto same = std::find_if(nodes.begin(), nodes.end(),
                                   [&](const DeviceNode& old) { return old.path == node.path; });
    if (same == nodes.end()) {
        nodes.push_back(std::move(node));
    } else {
        *same = std::move(node);
    }
}

Result<std::string> access_of(const cri::Device& device, size_t index) {
    const std::string& letters = device.permissions();
    if (letters.empty()) return "rwm";
    if (letters.find_first_not_of("rwm") != std::string::npos) {
        return Error::invalid(element("devices", static_cast<int>(index), "permissions") + ": \"" +
                              printable(letters) + "\" has more than \"rwm\"");
    }
    return letters;
}

Result<std::string> container_path(const cri::Device& device, const FoundDevice& found) {
    const int index = static_cast<int>(found.request);
    const std::string& path = device.container_path().empty() ? device.host_path() : device.container_path();
    const std::string base = TRY(clean_path(element("devices", index, "container_path"), path));
    return found.below.empty() ? base : clean_path(element("devices", index), base + "/" + found.below);
}

// Every request must have led to a device: a path that names none is an error of the client.
Status check_found(const cri::ContainerConfig& config, const std::vector<FoundDevice>& devices) {
    if (config.cdi_devices_size() > 0) {
        return Error::unimplemented("CDI_devices: \"" + printable(config.cdi_devices(0).name()) +
                                    "\": the Container Device Interface");
    }
    std::vector<bool> seen(static_cast<size_t>(config.devices_size()), false);
    for (const FoundDevice& found : devices) {
        if (found.request >= seen.size())
            return Error::invalid("a device that the container did not ask for");
        seen[found.request] = true;
    }
    for (size_t i = 0; i < seen.size(); ++i) {
        if (seen[i]) continue;
        const int index = static_cast<int>(i);
        return Error::invalid(element("devices", index, "host_path") + ": \"" +
                              printable(config.devices(index).host_path()) + "\" is no device");
    }
    return ok();
}

}  // namespace

Result<std::vector<DeviceNode>> plan_devices(const ContainerRequest& request, bool in_user_namespace) {
    TRY(check_found(request.config, request.devices));
    std::vector<DeviceNode> nodes;
    if (mounts_dev(request.config)) return nodes;
    // In a user namespace the host's nodes belong to nobody, and most would open for nobody.
    if (request.config.linux().security_context().privileged() && !in_user_namespace) {
        for (const DeviceNode& node : request.host_devices) {
            if (!is_the_containers_own(node.path)) put(nodes, node);
        }
    }
    for (DeviceNode& node : default_nodes()) put(nodes, std::move(node));
    for (const FoundDevice& found : request.devices) {
        const cri::Device& device = request.config.devices(static_cast<int>(found.request));
        DeviceNode node = found.node;
        node.path = TRY(container_path(device, found));
        put(nodes, std::move(node));
    }
    return nodes;
}

Result<std::vector<DeviceRule>> plan_device_rules(const cri::ContainerConfig& config,
                                                  const std::vector<FoundDevice>& devices) {
    TRY(check_found(config, devices));
    if (config.linux().security_context().privileged()) {
        return std::vector<DeviceRule>{{true, 'a', -1, -1, "rwm"}};
    }
    std::vector<DeviceRule> rules = default_rules();
    for (const FoundDevice& found : devices) {
        const std::string access =
            TRY(access_of(config.devices(static_cast<int>(found.request)), found.request));
        rules.push_back({true, found.node.type, found.node.major, found.node.minor, access});
    }
    return rules;
}

}  // namespace orlop::plan
