#include "kube/schema.h"

#include <limits>

namespace orlop::kube {

std::string type_name(const Json& json) {
    switch (json.type()) {
        case Json::value_t::null:
            return "nothing";
        case Json::value_t::boolean:
            return "a boolean (quote it if it is text)";
        case Json::value_t::string:
            return "a string";
        case Json::value_t::array:
            return "a list";
        case Json::value_t::object:
            return "a mapping";
        default:
            return "a number (quote it if it is text)";
    }
}

void mismatch(const Json& json, std::string_view expected, const Path& path, Findings& findings) {
    std::string found = type_name(json);
    // The advice to quote only helps where text is wanted.
    if (expected != "a string") found = found.substr(0, found.find(" ("));
    findings.error(path, "must be " + std::string(expected) + ", found " + found);
}

bool says_nothing(const Json& json) {
    switch (json.type()) {
        case Json::value_t::null:
            return true;
        case Json::value_t::boolean:
            return !json.get<bool>();
        case Json::value_t::string:
            return json.get_ref<const std::string&>().empty();
        case Json::value_t::array:
        case Json::value_t::object:
            return json.empty();
        default:
            return false;
    }
}

void Codec<std::string>::read(const Json& json, std::string& out, const Path& path, Findings& findings) {
    if (!json.is_string()) return mismatch(json, "a string", path, findings);
    out = json.get_ref<const std::string&>();
    // execve(2), mount(2) and file names end at NUL: what follows would be lost unseen.
    if (out.find('\0') != std::string::npos) findings.error(path, "contains a NUL byte");
}

void Codec<bool>::read(const Json& json, bool& out, const Path& path, Findings& findings) {
    if (!json.is_boolean()) return mismatch(json, "true or false", path, findings);
    out = json.get<bool>();
}

void Codec<int64_t>::read(const Json& json, int64_t& out, const Path& path, Findings& findings) {
    if (json.is_number_float()) {
        // 5.0 is an integer in JSON's eyes; 5.5 is not.
        const auto value = json.get<double>();
        if (value >= -9e15 && value <= 9e15 && static_cast<double>(static_cast<int64_t>(value)) == value) {
            out = static_cast<int64_t>(value);
            return;
        }
        return findings.error(path, "must be a whole number");
    }
    if (!json.is_number_integer()) return mismatch(json, "a whole number", path, findings);
    if (json.is_number_unsigned() &&
        json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return findings.error(path, "number too large");
    out = json.get<int64_t>();
}

void Codec<int32_t>::read(const Json& json, int32_t& out, const Path& path, Findings& findings) {
    int64_t wide = 0;
    Codec<int64_t>::read(json, wide, path, findings);
    if (wide > std::numeric_limits<int32_t>::max() || wide < std::numeric_limits<int32_t>::min())
        return findings.error(path, "number too large");
    out = static_cast<int32_t>(wide);
}

void Codec<Quantity>::read(const Json& json, Quantity& out, const Path& path, Findings& findings) {
    if (!json.is_string() && !json.is_number()) return mismatch(json, "a quantity", path, findings);
    auto parsed = Quantity::parse(json.is_string() ? json.get<std::string>() : json.dump());
    if (!parsed) return findings.error(path, parsed.error().what());
    out = std::move(*parsed);
}

void Codec<Duration>::read(const Json& json, Duration& out, const Path& path, Findings& findings) {
    if (!json.is_string()) return mismatch(json, "a duration such as \"20s\"", path, findings);
    const auto parsed = parse_duration(json.get_ref<const std::string&>());
    if (!parsed) return findings.error(path, parsed.error().what());
    out.value = *parsed;
}

void Codec<Time>::read(const Json& json, Time& out, const Path& path, Findings& findings) {
    if (!json.is_string()) return mismatch(json, "a time", path, findings);
    const auto parsed = parse_time(json.get_ref<const std::string&>());
    if (!parsed) return findings.error(path, parsed.error().what());
    out = *parsed;
}

void check_shape(const Json& json, Shape shape, const Path& path, Findings& findings) {
    Duration duration;
    int64_t number = 0;
    switch (shape) {
        case Shape::Any:
            return;
        case Shape::Bool:
            if (!json.is_boolean()) mismatch(json, "true or false", path, findings);
            return;
        case Shape::Int:
            return Codec<int64_t>::read(json, number, path, findings);
        case Shape::Number:
            if (!json.is_number()) mismatch(json, "a number", path, findings);
            return;
        case Shape::String:
            if (!json.is_string()) mismatch(json, "a string", path, findings);
            return;
        case Shape::Duration:
            return Codec<Duration>::read(json, duration, path, findings);
        case Shape::List:
            if (!json.is_array()) mismatch(json, "a list", path, findings);
            return;
        case Shape::Map:
            if (!json.is_object()) mismatch(json, "a mapping", path, findings);
            return;
    }
}

}  // namespace orlop::kube
