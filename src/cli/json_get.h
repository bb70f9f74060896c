// Reading JSON that somebody else wrote: what is missing or of another type reads as empty.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace orlop::cli {

// `path` is a JSON pointer (RFC 6901), such as "/status/phase".
inline const nlohmann::json& json_at(const nlohmann::json& from, const char* path) {
    static const nlohmann::json kNothing;
    const nlohmann::json::json_pointer pointer(path);
    return from.contains(pointer) ? from.at(pointer) : kNothing;
}

inline std::string json_string(const nlohmann::json& from, const char* path) {
    const nlohmann::json& value = json_at(from, path);
    return value.is_string() ? value.get<std::string>() : std::string();
}

inline int64_t json_int(const nlohmann::json& from, const char* path) {
    const nlohmann::json& value = json_at(from, path);
    return value.is_number_integer() ? value.get<int64_t>() : 0;
}

inline bool json_bool(const nlohmann::json& from, const char* path) {
    const nlohmann::json& value = json_at(from, path);
    return value.is_boolean() && value.get<bool>();
}

// An empty array if there is none.
inline const nlohmann::json& json_list(const nlohmann::json& from, const char* path) {
    static const nlohmann::json kEmpty = nlohmann::json::array();
    const nlohmann::json& value = json_at(from, path);
    return value.is_array() ? value : kEmpty;
}

}  // namespace orlop::cli
