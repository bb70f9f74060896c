// Base64 with the standard alphabet and padding (RFC 4648 section 4).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace orlop {

std::string base64_encode(std::string_view bytes);
// Strict: no line breaks, padding required, unused bits zero. Invalid otherwise.
Result<std::string> base64_decode(std::string_view text);

}  // namespace orlop
