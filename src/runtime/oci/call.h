// What every command gets: the global flags, settled.
#pragma once

#include <string>

#include "base/clock.h"
#include "runtime/oci/log.h"
#include "runtime/oci/options.h"

namespace orlop::oci {

struct Settings {
    std::string root;  // absolute
    bool systemd_cgroup = false;
    std::string scope_helper;  // path of orlop-scope
    Log log;
};

struct Call {
    const Settings& settings;
    const Strings& arguments;  // after the command's name
};

// How long commands that change one container wait for each other, and for its processes to end.
constexpr Nanos kLockTimeout = std::chrono::seconds(30);
constexpr Nanos kKillTimeout = std::chrono::seconds(10);

Status print(std::string_view text);
// For `return print_help(options.help)`.
Result<int> print_help(const std::string& help);

}  // namespace orlop::oci
