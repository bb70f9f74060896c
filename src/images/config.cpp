#include "images/config.h"

#include "images/json_fields.h"
#include "images/manifest.h"

namespace orlop::images {

using nlohmann::json;

namespace {

Result<std::vector<Digest>> parse_rootfs(const json& document) {
    const json* rootfs = find_field(document, "rootfs");
    if (rootfs == nullptr) return Error::invalid("config has no \"rootfs\": not an image config");
    if (TRY(string_field(*rootfs, "type")) != "layers")
        return Error::unimplemented("\"rootfs\" is not of type \"layers\"");
    std::vector<Digest> out;
    for (const std::string& text : TRY(strings_field(*rootfs, "diff_ids")))
        out.push_back(TRY(Digest::parse(text).under("diff_ids")));
    if (out.size() > kMaxLayers)
        return Error(Kind::Exhausted, "more than " + std::to_string(kMaxLayers) + " layers");
    return out;
}

Status parse_process(const json& process, ImageConfig& out) {
    if (!process.is_object()) return Error::invalid("\"config\" is not an object");
    out.entrypoint = TRY(strings_field(process, "Entrypoint"));
    out.cmd = TRY(strings_field(process, "Cmd"));
    out.env = TRY(strings_field(process, "Env"));
    out.working_dir = TRY(string_field(process, "WorkingDir"));
    out.user = TRY(string_field(process, "User"));
    out.stop_signal = TRY(string_field(process, "StopSignal"));
    out.labels = TRY(map_field(process, "Labels"));
    if (const json* volumes = find_field(process, "Volumes")) {
        if (!volumes->is_object()) return Error::invalid("\"Volumes\" is not an object");
        for (const auto& [path, unused] : volumes->items()) {
            if (path.empty() || path.find('\0') != std::string::npos)
                return Error::invalid("\"Volumes\" has an invalid path");
            out.volumes.push_back(path);
        }
    }
    return ok();
}

}  // namespace

Result<ParsedConfig> parse_config(std::string_view text) {
    const json document = TRY(parse_json(text));
    if (!document.is_object()) return Error::invalid("config is not an object");
    ParsedConfig out;
    out.config.os = TRY(string_field(document, "os"));
    out.config.architecture = TRY(string_field(document, "architecture"));
    if (out.config.os != "linux")
        return Error::unimplemented("image is for \"" + out.config.os + "\", not for linux");
    if (const json* process = find_field(document, "config")) TRY(parse_process(*process, out.config));
    out.diff_ids = TRY(parse_rootfs(document));
    return out;
}

std::string make_config(const RootfsImport& request, const Digest& diff_id, const Platform& platform) {
    json process = json::object();
    if (!request.entrypoint.empty()) process["Entrypoint"] = request.entrypoint;
    if (!request.cmd.empty()) process["Cmd"] = request.cmd;
    if (!request.env.empty()) process["Env"] = request.env;
    if (!request.working_dir.empty()) process["WorkingDir"] = request.working_dir;
    if (!request.user.empty()) process["User"] = request.user;
    json document = {{"architecture", platform.architecture},
                     {"os", platform.os},
                     {"config", process},
                     {"rootfs", {{"type", "layers"}, {"diff_ids", json::array({diff_id.str()})}}}};
    // A command line need not be UTF-8, JSON must be.
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace orlop::images
