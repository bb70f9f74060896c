// HTTP/1.1 GET over a unix socket.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::cli {

// The body of a 200 answer, at most 64 MiB. Unavailable: nobody listens there; TimedOut; Failed: another
// status, named with the beginning of its body.
Result<std::string> http_get(const std::string& socket_path, const std::string& target, Nanos timeout);

}  // namespace orlop::cli
