#include "runtime/streaming/resize.h"

#include <nlohmann/json.hpp>

namespace orlop::streaming {

namespace {

using Json = nlohmann::json;

std::optional<uint16_t> characters(const Json& object, const char* key) {
    const auto at = object.find(key);
    if (at == object.end() || !at->is_number_unsigned()) return {};
    const auto value = at->get<uint64_t>();
    if (value == 0 || value > UINT16_MAX) return {};
    return static_cast<uint16_t>(value);
}

std::optional<TerminalSize> parse(std::string_view text) {
    const Json object = Json::parse(text, nullptr, false);
    if (!object.is_object()) return {};
    const auto width = characters(object, "Width");
    const auto height = characters(object, "Height");
    if (!width || !height) return {};
    return TerminalSize{*width, *height};
}

}  // namespace

std::optional<TerminalSize> ResizeReader::read(std::string_view bytes) {
    std::optional<TerminalSize> last;
    while (!bytes.empty() && !lost_) {
        // The objects hold no strings and no objects.
        const size_t end = bytes.find('}');
        const std::string_view part = bytes.substr(0, end == bytes.npos ? end : end + 1);
        bytes.remove_prefix(part.size());
        held_ += part;
        lost_ = held_.size() > kMaxObject;
        if (end == bytes.npos || lost_) continue;
        if (const auto size = parse(held_)) last = size;
        held_.clear();
    }
    return last;
}

}  // namespace orlop::streaming
