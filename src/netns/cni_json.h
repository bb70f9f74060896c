// The one place where CNI code touches the JSON library's parser and its exceptions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orlop::netns {

using Json = nlohmann::json;

// One JSON object, at most 64 levels deep (writing it out again recurses).
Result<Json> parse_json_object(std::string_view text);
// On one line; bytes that are not UTF-8 are replaced.
std::string to_text(const Json& json);
std::string to_text(const nlohmann::ordered_json& json);
// The member if it is a string; "" otherwise.
std::string string_member(const Json& object, const char* key);

}  // namespace orlop::netns
