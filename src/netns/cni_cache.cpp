#include "netns/cni_cache.h"

#include <algorithm>

#include "base/base64.h"
#include "base/dir.h"
#include "netns/cni_names.h"

namespace orlop::netns {

namespace {

constexpr const char* kKind = "cniCacheV1";

Result<CniArgs> decode_args(const Json& list) {
    CniArgs args;
    for (const Json& pair : list) {
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
            return Error::invalid("field \"cniArgs\" must be a list of pairs of strings");
        args.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
    }
    return args;
}

Result<CachedAttachment> decode(const std::string& file, const std::string& text) {
    const Json json = TRY(parse_json_object(text));
    if (string_member(json, "kind") != kKind)
        return Error::invalid(std::string("field \"kind\" is not ") + kKind);
    CachedAttachment attachment;
    attachment.container_id = string_member(json, "containerId");
    attachment.ifname = string_member(json, "ifName");
    attachment.netns = string_member(json, "netns");
    TRY(check_container_id(attachment.container_id));
    TRY(check_ifname(attachment.ifname));
    const std::string config = TRY(base64_decode(string_member(json, "config")).under("field \"config\""));
    attachment.network = TRY(parse_network(file, config).under("field \"config\""));
    attachment.args = TRY(decode_args(json.value("cniArgs", Json::array())));
    if (const auto at = json.find("capabilityArgs"); at != json.end() && at->is_object())
        attachment.capability_args = *at;
    if (const auto at = json.find("result"); at != json.end() && at->is_object()) attachment.result = *at;
    return attachment;
}

}  // namespace

std::string network_text(const NetworkConfig& network) {
    nlohmann::ordered_json list;
    list["cniVersion"] = network.cni_version;
    list["name"] = network.name;
    if (network.disable_check) list["disableCheck"] = true;
    list["plugins"] = nlohmann::ordered_json::array();
    for (const std::string& plugin : network.plugins) {
        const auto json = parse_json_object(plugin);
        if (json) list["plugins"].push_back(nlohmann::ordered_json(*json));
    }
    return to_text(list);
}

std::string encode_cached(const CachedAttachment& attachment) {
    nlohmann::ordered_json json;
    json["kind"] = kKind;
    json["containerId"] = attachment.container_id;
    json["config"] = base64_encode(network_text(attachment.network));
    json["ifName"] = attachment.ifname;
    json["networkName"] = attachment.network.name;
    if (!attachment.netns.empty()) json["netns"] = attachment.netns;
    for (const auto& [key, value] : attachment.args) json["cniArgs"].push_back({key, value});
    if (!attachment.capability_args.empty()) json["capabilityArgs"] = attachment.capability_args;
    if (!attachment.result.is_null()) json["result"] = attachment.result;
    return to_text(json);
}

Result<CachedAttachment> decode_cached(const std::string& file, const std::string& text) {
    return decode(file, text).under("cached attachment " + file);
}

Status CniCache::save(const CachedAttachment& attachment) const {
    const Dir dir = TRY(Dir::make(path_, 0700));
    const std::string file =
        attachment.network.name + "-" + attachment.container_id + "-" + attachment.ifname;
    return dir.write_atomic(file, encode_cached(attachment), 0600);
}

Result<std::vector<std::string>> CniCache::files() const {
    auto dir = Dir::open(path_);
    if (!dir && dir.error().kind() == Kind::NotFound) return std::vector<std::string>{};
    if (!dir) return std::move(dir).error();
    auto names = TRY(dir->list());
    // Unfinished temporary files begin with a dot, networks never do.
    std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
    return names;
}

Result<std::vector<CniCache::Entry>> CniCache::find(const std::string& container_id,
                                                    const std::string& ifname) const {
    std::vector<Entry> entries;
    for (const std::string& file : TRY(files())) {
        if (!file.ends_with("-" + container_id + "-" + ifname)) continue;
        auto text = read_file(path_ + "/" + file);
        if (!text) {
            entries.push_back({file, std::move(text).error()});
            continue;
        }
        auto attachment = decode_cached(path_ + "/" + file, *text);
        // "a-b" + "c" and "a" + "b-c" make the same name.
        const bool other = attachment && attachment->container_id != container_id;
        if (!other) entries.push_back({file, std::move(attachment)});
    }
    return entries;
}

Status CniCache::remove(const std::string& file) const {
    const Dir dir = TRY(Dir::open(path_));
    return dir.unlink(file);
}

Result<std::vector<std::string>> CniCache::containers() const {
    std::vector<std::string> ids;
    for (const std::string& file : TRY(files())) {
        const auto text = read_file(path_ + "/" + file);
        if (!text) continue;
        if (const auto attachment = decode_cached(file, *text)) ids.push_back(attachment->container_id);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

}  // namespace orlop::netns
