// orlop: the command line of a node. Exit codes: 0 done, 1 it failed, 2 it was asked for wrongly.

#include <cstdio>

#include "cli/command_line.h"

namespace {

int fail(const orlop::Error& error, int code) {
    std::fprintf(stderr, "orlop: %s\n", error.what().c_str());
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    auto line = orlop::cli::parse_command_line(argc, argv);
    if (!line) return fail(line.error(), 2);
    if (!line->command) {
        std::fputs(line->output.c_str(), stdout);
        return 0;
    }
    const auto done = line->command();
    return done ? *done : fail(done.error(), 1);
}
