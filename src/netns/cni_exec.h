// One run of one plugin (CNI SPEC 1.1.0 section 2).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::netns {

// The executable file of that name in the first directory that has one; NotFound names the directories.
Result<std::string> find_plugin(const std::vector<std::string>& bin_dirs, const std::string& type);

struct PluginRun {
    std::string type;
    std::string command;  // ADD, DEL
    std::string container_id, netns, ifname, args;
    std::string input;  // stdin
};
// The whole environment of the plugin: CNI_* and our PATH (portmap looks for iptables there).
std::vector<std::string> plugin_env(const std::vector<std::string>& bin_dirs, const PluginRun& run);

// What a run came to, when the plugin was started and ended by itself.
struct PluginAnswer {
    std::string out;
    int64_t code = 0;       // of the plugin's error
    bool failed = false;    // non-zero exit
    std::string complaint;  // if failed: "code 7: msg: details"
};
// An error only if it could not be started or was killed at the deadline, with its whole process group.
Result<PluginAnswer> run_plugin(const std::vector<std::string>& bin_dirs, const PluginRun& run,
                                Nanos timeout);

}  // namespace orlop::netns
