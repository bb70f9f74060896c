// The daemon's settings: defaults, then the TOML file, then flags.
//
//   listen = "/run/orlop/runtime.sock"      root = "/var/lib/orlop"       state = "/run/orlop"
//   netns_dir = "/run/netns"                cgroup_driver = "systemd"     shim =
//   "/usr/libexec/orlop/orlop-shim" registry_config_dir = "/etc/orlop/certs.d" pids_limit = -1 [cni] conf_dir
//   = "/etc/cni/net.d"  bin_dirs = ["/opt/cni/bin"]  cache_dir = "/var/lib/cni" [log]  level = "info"  format
//   = "text" [streaming] address = "127.0.0.1"  port = 0  tls_certificate = ""  tls_key = ""
//   [images] auth_files = ["/etc/orlop/auth.json"]  policy = "/etc/orlop/policy.json"  layers_at_once = 6
//   progress_timeout = 60  pinned = []
#pragma once

#include <string>
#include <vector>

#include "base/log/log.h"
#include "base/result.h"
#include "netns/cni.h"
#include "runtime/core/paths.h"
#include "runtime/streaming/server.h"

namespace orlop::core {

struct ImageConfig {
    std::vector<std::string> auth_files = {"/etc/orlop/auth.json"};  // docker's or podman's
    std::string policy = "/etc/orlop/policy.json";                   // containers-policy.json(5)
    int64_t layers_at_once = 6;                                      // 1..64
    int64_t progress_timeout = 60;                                   // seconds without a byte; 1..86400
    std::vector<std::string> pinned;  // references that the kubelet shall keep; may end with "*"
};

struct Config {
    std::string listen = "/run/orlop/runtime.sock";  // absolute path
    Paths paths;
    netns::CniPaths cni;
    std::string registry_config_dir = "/etc/orlop/certs.d";
    ImageConfig images;
    std::string cgroup_driver;  // "systemd", "cgroupfs"; "" = what fits the host
    std::string shim;           // "" = orlop-shim beside our own executable
    int64_t pids_limit = -1;    // of each container; -1 = none
    // Of each container "nofile=1024:65536", of each pod "net.core.somaxconn=1024" (plan::parse_rlimit and
    // parse_sysctl).
    std::vector<std::string> default_ulimits, default_sysctls;
    streaming::ServerOptions streaming;
    LogOptions log;
};

struct CommandLine {
    Config config;
    bool done = false;  // --help, --version: `output` is all that is wanted
    std::string output;
};

// Flags win over the file. Errors are one line that names the flag, or the key and the file.
Result<CommandLine> parse_command_line(int argc, const char* const* argv);

// Puts the file's settings over `config`. Unknown keys and wrong types are errors.
Status apply_toml(Config& config, const std::string& file, const std::string& text);

// For Status: the settings as JSON.
std::string config_json(const Config& config);

}  // namespace orlop::core
