#include <algorithm>
#include <filesystem>

#include "base/dir.h"
#include "netns/cni.h"
#include "netns/cni_json.h"
#include "netns/cni_names.h"

namespace orlop::netns {

namespace {

Error field(const std::string& name, const std::string& problem) {
    return Error::invalid("field \"" + name + "\" " + problem);
}

Result<std::string> need_string(const Json& object, const char* key, const std::string& shown) {
    const auto at = object.find(key);
    if (at == object.end()) return field(shown, "is missing");
    if (!at->is_string()) return field(shown, "must be a string");
    return at->get<std::string>();
}

// SPEC section 1, version considerations: the highest of both fields that is known here.
Result<std::string> choose_version(const Json& list) {
    std::vector<std::string> offered;
    if (list.contains("cniVersion")) offered.push_back(TRY(need_string(list, "cniVersion", "cniVersion")));
    if (const auto versions = list.find("cniVersions"); versions != list.end()) {
        if (!versions->is_array()) return field("cniVersions", "must be a list of strings");
        for (const Json& version : *versions) {
            if (!version.is_string()) return field("cniVersions", "must be a list of strings");
            offered.push_back(version.get<std::string>());
        }
    }
    if (offered.empty()) return field("cniVersion", "is missing");
    std::string best;
    std::string all;
    for (const std::string& version : offered) {
        if (cni_version_rank(version) > cni_version_rank(best)) best = version;
        all += (all.empty() ? "" : ", ") + version.substr(0, 40);
    }
    if (best.empty())
        return field("cniVersion",
                     "has no version that is supported (0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0): " + all);
    return best;
}

// Other runtimes take the boolean as a string too.
Result<bool> read_bool(const Json& list, const char* key) {
    const auto at = list.find(key);
    if (at == list.end()) return false;
    if (at->is_boolean()) return at->get<bool>();
    const std::string text = at->is_string() ? at->get<std::string>() : "";
    if (text == "true" || text == "false") return text == "true";
    return field(key, "must be true or false");
}

Status check_capabilities(const Json& plugin, const std::string& where) {
    const auto at = plugin.find("capabilities");
    if (at == plugin.end()) return ok();
    const auto boolean = [](const Json& value) { return value.is_boolean(); };
    if (!at->is_object() || !std::all_of(at->begin(), at->end(), boolean))
        return field(where + ".capabilities", "must map names to true or false");
    return ok();
}

Status add_plugin(NetworkConfig& network, const Json& plugin) {
    const std::string where = "plugins[" + std::to_string(network.plugins.size()) + "]";
    if (!plugin.is_object()) return field(where, "must be an object");
    const std::string type = TRY(need_string(plugin, "type", where + ".type"));
    TRY(check_plugin_type(type).under("field \"" + where + ".type\""));
    TRY(check_capabilities(plugin, where));
    if (const auto ipam = plugin.find("ipam");
        ipam != plugin.end() && ipam->is_object() && ipam->contains("type")) {
        const std::string ipam_type = TRY(need_string(*ipam, "type", where + ".ipam.type"));
        if (!ipam_type.empty()) TRY(check_plugin_type(ipam_type).under("field \"" + where + ".ipam.type\""));
    }
    network.plugins.push_back(to_text(plugin));
    network.plugin_types.push_back(type);
    return ok();
}

bool is_configuration_name(const std::string& name) {
    const std::string extension = std::filesystem::path(name).extension();
    return extension == ".conf" || extension == ".conflist" || extension == ".json";
}

Result<NetworkConfig> load_one(const std::string& path) {
    std::error_code error;
    // Opening a fifo would wait for its writer.
    if (!std::filesystem::is_regular_file(path, error)) return Error::invalid("not a regular file");
    return parse_network(path, TRY(read_file(path, 1u << 20)));
}

const char* const kAdvice = "put a .conflist there";

}  // namespace

Result<NetworkConfig> parse_network(const std::string& file, const std::string& json) {
    const Json list = TRY(parse_json_object(json));
    NetworkConfig network;
    network.file = file;
    network.name = TRY(need_string(list, "name", "name"));
    TRY(check_network_name(network.name).under("field \"name\""));
    network.cni_version = TRY(choose_version(list));
    network.disable_check = TRY(read_bool(list, "disableCheck"));
    const auto plugins = list.find("plugins");
    if (plugins == list.end()) {
        if (!list.contains("type"))
            return field("plugins", "is missing (and no \"type\": not a single plugin either)");
        TRY(add_plugin(network, list));
        return network;
    }
    if (!plugins->is_array() || plugins->empty())
        return field("plugins", "must be a list with at least one plugin");
    for (const Json& plugin : *plugins) TRY(add_plugin(network, plugin));
    return network;
}

Result<LoadResult> load_networks(const std::string& conf_dir) {
    std::vector<std::string> skipped;
    if (auto dir = Dir::open(conf_dir)) {
        for (const std::string& name : TRY(dir->list())) {
            if (!is_configuration_name(name)) continue;
            auto network = load_one(conf_dir + "/" + name);
            if (network) return LoadResult{std::move(*network), std::move(skipped)};
            skipped.push_back(name + ": " + network.error().what());
        }
    } else if (dir.error().kind() != Kind::NotFound) {
        return std::move(dir).error().under("CNI configuration");
    }
    if (skipped.empty()) return Error::not_found("no CNI configuration in " + conf_dir + ": " + kAdvice);
    std::string reasons;
    for (const std::string& reason : skipped) reasons += (reasons.empty() ? "" : "; ") + reason;
    return Error::not_found("no valid CNI configuration in " + conf_dir + " (" + reasons +
                            "): correct it, or " + kAdvice);
}

}  // namespace orlop::netns
