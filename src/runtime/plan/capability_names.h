// Capabilities by name, capabilities(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace orlop::plan {

// "NET_ADMIN" or "CAP_NET_ADMIN" in any case -> 12; nothing for what Linux does not have.
std::optional<unsigned> capability_number(std::string_view name);

// Every capability that this build knows, as a mask.
uint64_t all_capabilities();

}  // namespace orlop::plan
