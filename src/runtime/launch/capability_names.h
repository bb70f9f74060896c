// Capabilities by name, capabilities(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace orlop::launch {

// "NET_ADMIN" or "CAP_NET_ADMIN" in any case -> 12; nothing for what Linux does not have.
std::optional<unsigned> capability_number(std::string_view name);
// 12 -> "NET_ADMIN"; empty beyond the last.
std::string_view capability_name(unsigned number);

// Every capability that this build knows, as a mask.
uint64_t all_capabilities();

// Is `given`, in any case, the word `upper_case`?
bool same_ignoring_case(std::string_view given, std::string_view upper_case);

}  // namespace orlop::launch
