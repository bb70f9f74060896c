// Typed access to untrusted JSON: a field of the wrong type is Invalid and named, never an exception.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orlop::images {

// Manifests, indexes and configs are at most this long (the limit registries apply).
inline constexpr size_t kMaxDocument = 4u << 20;

Result<nlohmann::json> parse_json(std::string_view text);
// Missing and null mean empty, as Go's encoding/json has it. Strings with NUL bytes are refused.
Result<std::string> string_field(const nlohmann::json& object, const char* key);
Result<std::vector<std::string>> strings_field(const nlohmann::json& object, const char* key);
Result<std::map<std::string, std::string>> map_field(const nlohmann::json& object, const char* key);
// The field as it is, or nullptr if missing or null.
const nlohmann::json* find_field(const nlohmann::json& object, const char* key);

}  // namespace orlop::images
