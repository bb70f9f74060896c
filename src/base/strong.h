// Ids as types: a ContainerId is not a SandboxId, and the only way in is parse().
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orlop {

// A checked string. `Rule` gives `static Status check(std::string_view)`.
template <class Rule>
class StrongString {
  public:
    static Result<StrongString> parse(std::string_view text) {
        TRY(Rule::check(text));
        return StrongString(std::string(text));
    }
    const std::string& str() const { return text_; }
    auto operator<=>(const StrongString&) const = default;

  private:
    explicit StrongString(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// 64 lower-case hexadecimal digits: the ids of sandboxes, containers and images.
struct HexIdRule {
    static Status check(std::string_view text);
};
struct SandboxIdRule : HexIdRule {};
struct ContainerIdRule : HexIdRule {};
using SandboxId = StrongString<SandboxIdRule>;
using ContainerId = StrongString<ContainerIdRule>;

// 64 random hexadecimal digits from getrandom(2).
std::string random_hex_id();
// A random RFC 4122 version 4 UUID in lower case.
std::string random_uuid();

}  // namespace orlop

template <class Rule>
struct std::hash<orlop::StrongString<Rule>> {
    size_t operator()(const orlop::StrongString<Rule>& id) const {
        return std::hash<std::string>()(id.str());
    }
};
