#include "netns/cni_args.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "netns/cni_result.h"

namespace orlop::netns {

namespace {

Status check_value(const std::string& key, const std::string& value) {
    const bool bad = std::any_of(value.begin(), value.end(), [](char c) {
        return c == ';' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (bad) return Error::invalid(key + ": a value in CNI_ARGS may not have \";\" or control characters");
    return ok();
}

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

Result<Json> port_mappings(const std::vector<PortMapping>& ports) {
    Json list = Json::array();
    for (const PortMapping& port : ports) {
        if (port.host_port == 0) continue;
        const std::string protocol = port.protocol.empty() ? "tcp" : lower(port.protocol);
        const auto valid = [](int32_t n) { return n >= 1 && n <= 65535; };
        if (!valid(port.host_port) || !valid(port.container_port))
            return Error::invalid("port mapping " + std::to_string(port.host_port) + ":" +
                                  std::to_string(port.container_port) + ": ports are 1 to 65535");
        if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
            return Error::invalid("port mapping: protocol \"" + port.protocol + "\" is not tcp, udp or sctp");
        Json entry = {
            {"hostPort", port.host_port}, {"containerPort", port.container_port}, {"protocol", protocol}};
        if (!port.host_ip.empty()) entry["hostIP"] = port.host_ip;
        list.push_back(std::move(entry));
    }
    return list;
}

Result<Json> bandwidth(const std::map<std::string, std::string>& annotations) {
    Json limits = Json::object();
    for (const std::string direction : {"ingress", "egress"}) {
        const std::string key = "kubernetes.io/" + direction + "-bandwidth";
        const auto at = annotations.find(key);
        if (at == annotations.end()) continue;
        limits[direction + "Rate"] = TRY(parse_bandwidth(at->second).under("annotation " + key));
        // No limit on bursts is asked for; the plugin's burst is 32 bits wide.
        limits[direction + "Burst"] = std::numeric_limits<uint32_t>::max();
    }
    return limits;
}

Json dns(const DnsConfig& config) {
    Json out = Json::object();
    if (!config.servers.empty()) out["servers"] = config.servers;
    if (!config.searches.empty()) out["searches"] = config.searches;
    if (!config.options.empty()) out["options"] = config.options;
    return out;
}

}  // namespace

Result<CniArgs> cni_args(const Attachment& attachment) {
    CniArgs args = {{"IgnoreUnknown", "1"},
                    {"K8S_POD_NAMESPACE", attachment.pod_namespace},
                    {"K8S_POD_NAME", attachment.pod_name},
                    {"K8S_POD_INFRA_CONTAINER_ID", attachment.container_id},
                    {"K8S_POD_UID", attachment.pod_uid}};
    std::erase_if(args, [](const auto& arg) { return arg.second.empty(); });
    for (const auto& [key, value] : args) TRY(check_value(key, value));
    return args;
}

std::string cni_args_text(const CniArgs& args) {
    std::string text;
    for (const auto& [key, value] : args) text += (text.empty() ? "" : ";") + key + "=" + value;
    return text;
}

Result<int64_t> parse_bandwidth(const std::string& quantity) {
    static constexpr std::array<std::pair<std::string_view, double>, 11> kSuffixes = {{{"", 1},
                                                                                       {"k", 1e3},
                                                                                       {"M", 1e6},
                                                                                       {"G", 1e9},
                                                                                       {"T", 1e12},
                                                                                       {"P", 1e15},
                                                                                       {"Ki", 0x1p10},
                                                                                       {"Mi", 0x1p20},
                                                                                       {"Gi", 0x1p30},
                                                                                       {"Ti", 0x1p40},
                                                                                       {"Pi", 0x1p50}}};
    const Error wrong =
        Error::invalid("\"" + quantity.substr(0, 40) + "\" is not a bandwidth from 1k to 1P bits/s");
    double number = 0;
    const char* const end = quantity.data() + quantity.size();
    const auto [rest, error] = std::from_chars(quantity.data(), end, number, std::chars_format::fixed);
    if (error != std::errc()) return wrong;
    const std::string_view suffix(rest, static_cast<size_t>(end - rest));
    const auto at = std::find_if(kSuffixes.begin(), kSuffixes.end(),
                                 [&](const auto& row) { return row.first == suffix; });
    if (at == kSuffixes.end()) return wrong;
    const double bits = number * at->second;
    if (!(bits >= 1e3 && bits <= 1e15)) return wrong;
    return static_cast<int64_t>(bits);
}

Result<Json> capability_args(const Attachment& attachment) {
    Json args = Json::object();
    const auto set = [&](const char* name, Json value) {
        if (!value.empty()) args[name] = std::move(value);
    };
    set("portMappings", TRY(port_mappings(attachment.ports)));
    set("bandwidth", TRY(bandwidth(attachment.annotations)));
    set("dns", dns(attachment.dns));
    if (!attachment.cgroup_path.empty()) args["cgroupPath"] = attachment.cgroup_path;
    set("io.kubernetes.cri.pod-annotations", attachment.annotations);
    return args;
}

Result<std::string> plugin_input(const NetworkConfig& network, size_t plugin, const Json& capabilities,
                                 const Json& prev_result) {
    Json input = TRY(parse_json_object(network.plugins.at(plugin)));
    input["name"] = network.name;
    input["cniVersion"] = network.cni_version;
    Json runtime_config = Json::object();
    if (const auto declared = input.find("capabilities"); declared != input.end() && declared->is_object()) {
        for (const auto& [name, wanted] : declared->items()) {
            const auto value = capabilities.find(name);
            if (wanted == true && value != capabilities.end()) runtime_config[name] = *value;
        }
    }
    if (!runtime_config.empty()) input["runtimeConfig"] = std::move(runtime_config);
    if (!prev_result.is_null()) input["prevResult"] = convert_result(prev_result, network.cni_version);
    return to_text(input);
}

}  // namespace orlop::netns
