// Text of a manifest or configuration file -> JSON documents.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orlop::kube {

using Json = nlohmann::json;

// JSON (text that starts with '{' or '[') or YAML with any number of documents; empty documents are left
// out. Scalars get the types that Kubernetes' own YAML reader gives them (YAML 1.1: yes/no/on/off are
// booleans, 0644 is octal). Refused: keys that appear twice, keys that are not scalars, more than 100,000
// nodes (aliases counted each time they are used) and nesting beyond 100. Errors name line and column.
Result<std::vector<Json>> parse_documents(std::string_view text);

}  // namespace orlop::kube
