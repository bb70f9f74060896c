// The WWW-Authenticate header (RFC 7235 section 4.1). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace orlop::registry {

struct Challenge {
    std::string scheme;                         // lower case
    std::map<std::string, std::string> params;  // names in lower case
    std::string param(const std::string& name) const;
};

// What cannot be understood is left out.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace orlop::registry
