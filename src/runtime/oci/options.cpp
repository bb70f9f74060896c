#include "runtime/oci/options.h"

#include "runtime/oci/options_parts.h"

namespace orlop::oci {

namespace {

// Descriptors that one process may have by default at most (fs.nr_open).
constexpr uint32_t kMostDescriptors = 1u << 20;

Result<uint32_t> descriptors(const std::string& text) {
    const auto number = TRY(number_of<uint32_t>("--preserve-fds", text));
    if (number > kMostDescriptors) return Error::invalid("--preserve-fds: too many");
    return number;
}

Result<RunOptions> parse_new(const std::string& command, const Strings& arguments) {
    const bool run = command == "run";
    RunOptions o;
    std::string preserve = "0";
    Flags flags(command, "[flags] CONTAINER-ID",
                run ? "Creates a container from a bundle and runs it."
                    : "Creates a container from a bundle; `start` then runs its process.");
    flags.text(o.bundle, "--bundle,-b", "the bundle's directory; the current one if not given");
    flags.text(o.console_socket, "--console-socket", "unix socket that gets the terminal");
    flags.text(o.pid_file, "--pid-file", "file to write the process id to");
    flags.flag(o.no_pivot, "--no-pivot", "no pivot_root: for a root on a ramdisk");
    flags.flag(o.no_new_keyring, "--no-new-keyring", "keep the caller's session keyring");
    flags.text(preserve, "--preserve-fds", "pass N further descriptors (stdio + LISTEN_FDS + N)");
    if (run) {
        flags.flag(o.detach, "--detach,-d", "do not wait for the container");
        flags.flag(o.keep, "--keep", "do not delete the container when it has ended");
        flags.flag(o.no_subreaper, "--no-subreaper", "do not adopt orphans of the container");
    }
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words(command, words.words.size(), 1, 1));
    o.id = std::move(words.words[0]);
    o.preserve_fds = TRY(descriptors(preserve));
    return o;
}

Result<bool> is_json(const std::string& format) {
    if (format == "json") return true;
    if (format == "table" || format.empty()) return false;
    return Error::invalid("invalid format option \"" + format + "\": table or json");
}

// Go's durations, as far as an interval needs them: "5s", "500ms", "1m", "2h".
Result<Nanos> interval_of(const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string unit(end, text.data() + text.size());
    const double seconds = unit == "ms" ? 0.001 : unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (error != std::errc() || seconds == 0 || number <= 0 || number * seconds > 1e9) {
        return Error::invalid("--interval: \"" + text + "\" is no duration like 5s or 500ms above zero");
    }
    return std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(number * seconds));
}

}  // namespace

Result<GlobalOptions> parse_global(const Strings& arguments) {
    GlobalOptions o;
    std::string ignored;
    std::string manager;
    Flags flags("", "[global flags] COMMAND [flags] [arguments]",
                "Runs containers as the OCI runtime specification says; takes runc's command line.\n\n"
                "Commands: create start run exec kill delete list ps state pause resume update spec features "
                "events; COMMAND --help tells more.");
    flags.text(o.root, "--root", "directory of the containers' state; /run/orlop-oci if not given");
    flags.text(o.log, "--log", "file for errors and warnings; stderr if not given");
    flags.text(o.log_format, "--log-format", "text or json");
    flags.text(o.log_level, "--log-level", "debug, info, warn or error");
    flags.flag(o.debug, "--debug", "log more");
    flags.flag(o.systemd_cgroup, "--systemd-cgroup",
               "systemd makes cgroups: cgroupsPath is slice:prefix:name");
    flags.text(manager, "--cgroup-manager", "cgroupfs or systemd");
    flags.text(ignored, "--rootless", "accepted: true, false or auto");
    flags.text(ignored, "--criu", "accepted: there is no checkpoint");
    flags.flag(o.version, "--version,-v", "show versions");
    Words words = TRY(flags.parse(arguments, Order::FlagsFirst));
    o.help = std::move(words.help);
    o.words = std::move(words.words);
    if (!o.log_format.empty() && o.log_format != "text" && o.log_format != "json") {
        return Error::invalid("invalid log-format \"" + o.log_format + "\": text or json");
    }
    if (!manager.empty() && manager != "cgroupfs" && manager != "systemd") {
        return Error::invalid("--cgroup-manager " + manager + " is not supported: cgroupfs or systemd");
    }
    if (manager == "systemd") o.systemd_cgroup = true;
    if (o.log_level == "debug" || o.log_level == "trace") o.debug = true;
    return o;
}

Result<RunOptions> parse_create(const Strings& arguments) {
    return parse_new("create", arguments);
}

Result<RunOptions> parse_run(const Strings& arguments) {
    return parse_new("run", arguments);
}

Result<ExecOptions> parse_exec(const Strings& arguments) {
    ExecOptions o;
    std::string preserve = "0";
    Flags flags("exec", "[flags] CONTAINER-ID COMMAND [ARGUMENT...] | -p FILE CONTAINER-ID",
                "Runs a further process in a container.");
    flags.text(o.console_socket, "--console-socket", "unix socket that gets the terminal");
    flags.text(o.cwd, "--cwd", "working directory in the container");
    flags.texts(o.env, "--env,-e", "NAME=VALUE, added to the container's");
    flags.flag(o.terminal, "--tty,-t", "with a terminal");
    flags.text(o.user, "--user,-u", "UID[:GID]");
    flags.texts(o.additional_gids, "--additional-gids,-g", "further group ids");
    flags.text(o.process_file, "--process,-p", "file with the process object");
    flags.flag(o.detach, "--detach,-d", "do not wait for it");
    flags.text(o.pid_file, "--pid-file", "file to write the process id to");
    flags.text(o.process_label, "--process-label", "SELinux label");
    flags.text(o.apparmor, "--apparmor", "AppArmor profile");
    flags.flag(o.no_new_privileges, "--no-new-privs", "set no_new_privs");
    flags.texts(o.capabilities, "--cap,-c", "capability to add");
    flags.text(preserve, "--preserve-fds", "pass N further descriptors (stdio + LISTEN_FDS + N)");
    flags.texts(o.cgroups, "--cgroup", "[CONTROLLER:]PATH below the container's cgroup");
    flags.flag(o.ignore_paused, "--ignore-paused", "even if the container is paused");
    Words words = TRY(flags.parse(arguments, Order::FlagsFirst));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words("exec", words.words.size(), 1, SIZE_MAX));
    o.id = words.words[0];
    o.command.assign(words.words.begin() + 1, words.words.end());
    if (o.command.empty() && o.process_file.empty()) return Error::invalid("process args cannot be empty");
    o.preserve_fds = TRY(descriptors(preserve));
    return o;
}

Result<KillOptions> parse_kill(const Strings& arguments) {
    KillOptions o;
    Flags flags("kill", "[flags] CONTAINER-ID [SIGNAL]",
                "Sends a signal, TERM if not given, to a container.");
    flags.flag(o.all, "--all,-a", "to all of its processes, not only the first");
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words("kill", words.words.size(), 1, 2));
    o.id = words.words[0];
    if (words.words.size() == 2) o.signal = words.words[1];
    return o;
}

Result<DeleteOptions> parse_delete(const Strings& arguments) {
    DeleteOptions o;
    Flags flags("delete", "[flags] CONTAINER-ID", "Removes what a stopped container holds.");
    flags.flag(o.force, "--force,-f", "kill it first if it runs; no error if there is none");
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words("delete", words.words.size(), 1, 1));
    o.id = words.words[0];
    return o;
}

Result<ListOptions> parse_list(const Strings& arguments) {
    ListOptions o;
    std::string format;
    Flags flags("list", "[flags]", "Lists the containers of the root directory.");
    flags.text(format, "--format,-f", "table or json");
    flags.flag(o.quiet, "--quiet,-q", "ids only");
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    TRY(need_words("list", words.words.size(), 0, 0));
    o.json = TRY(is_json(format));
    return o;
}

Result<PsOptions> parse_ps(const Strings& arguments) {
    PsOptions o;
    std::string format;
    Flags flags("ps", "[flags] CONTAINER-ID [ps options]", "Shows the processes of a container.");
    flags.text(format, "--format,-f", "table or json");
    Words words = TRY(flags.parse(arguments, Order::FlagsFirst));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words("ps", words.words.size(), 1, SIZE_MAX));
    o.id = words.words[0];
    o.ps_arguments.assign(words.words.begin() + 1, words.words.end());
    o.json = TRY(is_json(format));
    return o;
}

Result<EventsOptions> parse_events(const Strings& arguments) {
    EventsOptions o;
    std::string interval = "5s";
    Flags flags("events", "[flags] CONTAINER-ID", "Shows use of resources and OOM kills, one object a line.");
    flags.flag(o.stats, "--stats", "once, then end");
    flags.text(interval, "--interval", "time between two");
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words("events", words.words.size(), 1, 1));
    o.id = words.words[0];
    o.interval = TRY(interval_of(interval));
    return o;
}

Result<SpecOptions> parse_spec_command(const Strings& arguments) {
    SpecOptions o;
    Flags flags("spec", "[flags]", "Writes a config.json to start from.");
    flags.text(o.bundle, "--bundle,-b", "the bundle's directory; the current one if not given");
    flags.flag(o.rootless, "--rootless", "for a container of an ordinary user");
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    TRY(need_words("spec", words.words.size(), 0, 0));
    return o;
}

Result<IdOptions> parse_id_only(const std::string& command, const std::string& what,
                                const Strings& arguments) {
    IdOptions o;
    Flags flags(command, "CONTAINER-ID", what);
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words(command, words.words.size(), 1, 1));
    o.id = words.words[0];
    return o;
}

}  // namespace orlop::oci
