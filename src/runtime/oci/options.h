// Command lines, parsed: runc's, with what crun adds. Pure. `help` not empty: print it and stop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cgroups/resources.h"
#include "runtime/oci/id.h"

namespace orlop::oci {

using Strings = std::vector<std::string>;

struct GlobalOptions {
    std::string root;  // "" = the default
    std::string log, log_format, log_level;
    bool debug = false, systemd_cgroup = false, version = false;
    Strings words;  // the command and what follows it
    std::string help;
};
Result<GlobalOptions> parse_global(const Strings& arguments);

// create, run
struct RunOptions {
    std::string id, bundle, console_socket, pid_file;
    bool no_pivot = false, no_new_keyring = false;
    bool detach = false, keep = false, no_subreaper = false;  // run only
    uint32_t preserve_fds = 0;
    std::string help;
};
Result<RunOptions> parse_create(const Strings& arguments);
Result<RunOptions> parse_run(const Strings& arguments);

struct ExecOptions {
    std::string id;
    Strings command;
    std::string process_file;
    std::string console_socket, pid_file, cwd, user, process_label, apparmor;
    Strings env, additional_gids, capabilities, cgroups;
    bool terminal = false, detach = false, no_new_privileges = false, ignore_paused = false;
    uint32_t preserve_fds = 0;
    std::string help;
};
Result<ExecOptions> parse_exec(const Strings& arguments);

struct KillOptions {
    std::string id, signal = "TERM";
    bool all = false;
    std::string help;
};
Result<KillOptions> parse_kill(const Strings& arguments);

struct DeleteOptions {
    std::string id;
    bool force = false;
    std::string help;
};
Result<DeleteOptions> parse_delete(const Strings& arguments);

struct ListOptions {
    bool json = false, quiet = false;
    std::string help;
};
Result<ListOptions> parse_list(const Strings& arguments);

struct PsOptions {
    std::string id;
    bool json = false;
    Strings ps_arguments;
    std::string help;
};
Result<PsOptions> parse_ps(const Strings& arguments);

struct UpdateOptions {
    std::string id;
    std::string resources_file;    // "-" = stdin; wins over the flags
    cgroups::Resources resources;  // of the flags
    std::string help;
};
Result<UpdateOptions> parse_update(const Strings& arguments);

struct EventsOptions {
    std::string id;
    bool stats = false;
    Nanos interval{std::chrono::seconds(5)};
    std::string help;
};
Result<EventsOptions> parse_events(const Strings& arguments);

struct SpecOptions {
    std::string bundle = ".";
    bool rootless = false;
    std::string help;
};
Result<SpecOptions> parse_spec_command(const Strings& arguments);

// start, state, pause, resume: an id and nothing else.
struct IdOptions {
    std::string id;
    std::string help;
};
Result<IdOptions> parse_id_only(const std::string& command, const std::string& what,
                                const Strings& arguments);

}  // namespace orlop::oci
