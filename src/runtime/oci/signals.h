// Signals as people write them.
#pragma once

#include <string_view>

#include "base/result.h"

namespace orlop::oci {

// "SIGTERM", "term", "15", "SIGRTMIN+3"; 0..64, with 0 the null signal of kill(2). Invalid otherwise.
Result<int> parse_signal(std::string_view text);

}  // namespace orlop::oci
