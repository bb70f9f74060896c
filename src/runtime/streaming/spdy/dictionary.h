// The zlib dictionary of SPDY/3 header blocks (SPDY/3.1, section 2.6.10.1): 1423 bytes, Adler-32 e3c6a7c2.
#pragma once

#include <string>

namespace orlop::spdy {

std::string header_dictionary();

}  // namespace orlop::spdy
