// The command line of `orlop`, read by CLI11.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "cli/options.h"

namespace orlop::cli {

struct CommandLine {
    std::function<Result<int>()> command;  // empty: only `output` is wanted (--help, --version)
    std::string output;
};

// Errors are Invalid: one line that names the flag.
Result<CommandLine> parse_command_line(int argc, const char* const* argv);

}  // namespace orlop::cli
