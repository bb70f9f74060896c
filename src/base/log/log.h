// Logging of the daemons: one line a record on stderr, with the syslog priority prefix of sd-daemon(3)
// when stderr is the journal. Only the edge (main, service switchboards) logs; libraries return errors.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "base/result.h"

namespace orlop {

struct LogOptions {
    std::string level = "info";   // trace debug info warn error
    std::string format = "text";  // text | json (one object a line: ts, level, msg)
};

// Sets up spdlog's default logger. An unknown level or format is an Invalid error naming it.
Status setup_logging(const LogOptions& options);

}  // namespace orlop
