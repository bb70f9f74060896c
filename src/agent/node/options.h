// The command line and the configuration file -> what the agent runs with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log/log.h"
#include "base/result.h"
#include "kube/kubelet_config.h"

namespace orlop::agent {

struct Options {
    kube::KubeletConfig config;
    std::string config_file;
    std::string root_dir = "/var/lib/kubelet";
    std::string node_name;  // from --hostname-override, else the host's
    std::string node_ip;
    std::string status_socket = "/run/orlop/agent.sock";
    LogOptions log;
    std::vector<std::string> warnings;  // what was given and has no effect yet
};

// What parsing led to: options to run with, or text to print and a code to exit with.
struct Parsed {
    std::optional<Options> options;
    std::string text;
    int exit_code = 0;
};

// Flags win over the file. A mistake is one line naming the flag or field, exit code 2.
Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace orlop::agent
