#include "netns/cni_json.h"

namespace orlop::netns {

namespace {

constexpr int kDeepest = 64;

}  // namespace

Result<Json> parse_json_object(std::string_view text) {
    bool too_deep = false;
    const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > kDeepest;
        return !too_deep;
    };
    try {
        Json json = Json::parse(text, limit_depth);
        if (too_deep) return Error::invalid("JSON is nested too deeply");
        if (!json.is_object()) return Error::invalid("not a JSON object");
        return json;
    } catch (const Json::exception& e) {
        // The library begins its messages with its own name for the exception in brackets.
        std::string_view what = e.what();
        if (const size_t end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
        return Error::invalid("not JSON: " + std::string(what.substr(0, 300)));
    }
}

std::string to_text(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string string_member(const Json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace orlop::netns
