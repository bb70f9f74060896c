// Text for people: tables, ages, sizes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace orlop::cli {

// Columns as wide as their widest cell, three blanks between, nothing after the last. Control characters in
// cells become '?': what a container or manifest says must not drive the terminal.
std::string render_table(const std::vector<std::vector<std::string>>& rows);

// One line without control characters.
std::string printable(std::string_view text);

// Two units where the small one still matters, as kubectl shows ages: 45s, 3m20s, 45m, 5h10m, 2d3h, 400d.
std::string human_age(Nanos age);

// Powers of 1000: 999B, 4.2MB, 312MB.
std::string human_bytes(uint64_t bytes);

// [#####.....] of `width` cells between the brackets; total 0 is unknown and gives an empty bar.
std::string bar(uint64_t done, uint64_t total, size_t width);

// "sha256:0123456789abcdef..." -> "0123456789ab".
std::string short_id(std::string_view id);

}  // namespace orlop::cli
