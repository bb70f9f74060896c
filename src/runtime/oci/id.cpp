#include "runtime/oci/id.h"

#include <algorithm>

namespace orlop::oci {

namespace {

constexpr size_t kLongest = 255;  // NAME_MAX

bool allowed(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '.' || c == '-';
}

}  // namespace

Status IdRule::check(std::string_view text) {
    if (text.empty()) return Error::invalid("container id cannot be empty");
    const bool good = text.size() <= kLongest && text.front() != '.' && text.front() != '-' &&
                      std::all_of(text.begin(), text.end(), allowed);
    if (good) return ok();
    return Error::invalid("invalid container id \"" + std::string(text) +
                          "\": 1 to 255 of letters, digits and \"_+.-\", not starting with \".\" or \"-\"");
}

}  // namespace orlop::oci
