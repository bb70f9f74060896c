#include <algorithm>

#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

using cgroups::DeviceRule;
using launch::DeviceNode;

// runtime-spec config-linux.md, "Default Devices"; the terminal's console is the executor's.
constexpr DeviceNode device(const char* path, uint32_t major, uint32_t minor) {
    return {.path = path, .type = 'c', .major = major, .minor = minor};
}
std::vector<DeviceNode> default_devices() {
    return {device("/dev/null", 1, 3),   device("/dev/zero", 1, 5),    device("/dev/full", 1, 7),
            device("/dev/random", 1, 8), device("/dev/urandom", 1, 9), device("/dev/tty", 5, 0)};
}

// What every container may use, whatever its rules say: it could not work without, and mknod(2) by itself
// opens nothing. 136:* and 5:2 are terminals, 5:1 the console.
std::vector<DeviceRule> default_rules() {
    std::vector<DeviceRule> rules = {{true, 'c', -1, -1, "m"}, {true, 'b', -1, -1, "m"}};
    for (const DeviceNode& d : default_devices())
        rules.push_back({true, 'c', static_cast<int64_t>(d.major), static_cast<int64_t>(d.minor), "rwm"});
    rules.push_back({true, 'c', 5, 1, "rwm"});
    rules.push_back({true, 'c', 136, -1, "rwm"});
    rules.push_back({true, 'c', 5, 2, "rwm"});
    return rules;
}

Result<char> read_type(const Field& from, std::string_view allowed) {
    const std::string type = TRY(from.required_text());
    if (type.size() != 1 || allowed.find(type[0]) == std::string_view::npos)
        return from.wrong("must be one of " + std::string(allowed));
    return type[0] == 'u' ? 'c' : type[0];
}

Result<DeviceNode> read_device(const Field& from) {
    DeviceNode out;
    out.path = clean_absolute(TRY(from["path"].required_text()));
    if (out.path == "/" || out.path == "/dev") return from["path"].wrong("is no place for a device");
    out.type = TRY(read_type(from["type"], "cbup"));
    if (out.type != 'p') {
        const auto major = TRY(from["major"].natural(UINT32_MAX));
        const auto minor = TRY(from["minor"].natural(UINT32_MAX));
        if (!major || !minor) return from["major"].wrong("major and minor are missing");
        out.major = static_cast<uint32_t>(*major);
        out.minor = static_cast<uint32_t>(*minor);
    }
    out.mode = static_cast<uint32_t>(TRY(from["fileMode"].natural(UINT32_MAX)).value_or(0666)) & 07777;
    out.uid = static_cast<uint32_t>(TRY(from["uid"].natural(UINT32_MAX - 1)).value_or(0));
    out.gid = static_cast<uint32_t>(TRY(from["gid"].natural(UINT32_MAX - 1)).value_or(0));
    return out;
}

Result<DeviceRule> read_rule(const Field& from) {
    DeviceRule out;
    const auto allow = TRY(from["allow"].flag());
    if (!allow) return from["allow"].wrong("is missing");
    out.allow = *allow;
    if (from["type"].there() && !TRY(from["type"].text_or("")).empty())
        out.type = TRY(read_type(from["type"], "acb"));
    out.major = TRY(from["major"].integer(-1, UINT32_MAX)).value_or(-1);
    out.minor = TRY(from["minor"].integer(-1, UINT32_MAX)).value_or(-1);
    out.access = TRY(from["access"].text_or(""));
    if (out.access.empty()) out.access = "rwm";
    if (out.access.find_first_not_of("rwm") != std::string::npos)
        return from["access"].wrong("must consist of r, w, m");
    return out;
}

}  // namespace

Status read_devices(const Field& from, ContainerSpec& spec) {
    std::vector<DeviceNode>& nodes = spec.plan.devices;
    nodes = default_devices();
    for (const Field& one : TRY(from["devices"].items())) {
        DeviceNode node = TRY(read_device(one));
        std::erase_if(nodes, [&](const DeviceNode& d) { return d.path == node.path; });
        nodes.push_back(std::move(node));
    }
    std::vector<DeviceRule>& rules = spec.resources.devices;
    // Without a word about devices none but the default ones are there to be used.
    rules = {{false, 'a', -1, -1, "rwm"}};
    const std::vector<Field> given = TRY(from["resources"]["devices"].items());
    if (!given.empty()) rules.clear();
    for (const Field& one : given) rules.push_back(TRY(read_rule(one)));
    const std::vector<DeviceRule> defaults = default_rules();
    rules.insert(rules.end(), defaults.begin(), defaults.end());
    return ok();
}

}  // namespace orlop::oci
