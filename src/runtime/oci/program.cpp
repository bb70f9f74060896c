#include "runtime/oci/program.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/dir.h"
#include "runtime/launch/self.h"
#include "runtime/oci/commands.h"

namespace orlop::oci {

namespace {

constexpr auto kDefaultRoot = "/run/orlop-oci";
constexpr auto kSpecVersion = "1.3.0";
constexpr int kFailed = 1;
constexpr int kExecFailed = 255;
constexpr int kNoSuchCommand = 3;

struct Command {
    std::string_view name;
    Result<int> (*run)(const Call&);
    bool meets_containers =
        false;  // starts processes in them: this program's file must be out of their reach
    int failure = kFailed;
};

constexpr Command kCommands[] = {
    {"create", create_command, true}, {"start", start_command},
    {"run", run_command, true},       {"exec", exec_command, true, kExecFailed},
    {"kill", kill_command},           {"delete", delete_command},
    {"list", list_command},           {"ps", ps_command},
    {"state", state_command},         {"pause", pause_command},
    {"resume", resume_command},       {"update", update_command},
    {"spec", spec_command},           {"features", features_command},
    {"events", events_command},       {"checkpoint", checkpoint_command},
    {"restore", restore_command},
};

const Command* find(std::string_view name) {
    for (const Command& command : kCommands) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

std::string versions() {
    const scmp_version* seccomp = seccomp_version();
    std::string out = "orlop-oci version " ORLOP_VERSION "\nspec: ";
    out += kSpecVersion;
    if (seccomp != nullptr) {
        out += "\nlibseccomp: " + std::to_string(seccomp->major) + "." + std::to_string(seccomp->minor) +
               "." + std::to_string(seccomp->micro);
    }
    return out + "\n";
}

std::string absolute(const std::string& path) {
    if (path.starts_with("/")) return path;
    char* here = getcwd(nullptr, 0);
    const std::string out = std::string(here == nullptr ? "" : here) + "/" + path;
    std::free(here);
    return out;
}

std::string default_root() {
    const char* runtime_dir = geteuid() == 0 ? nullptr : getenv("XDG_RUNTIME_DIR");
    return runtime_dir == nullptr ? kDefaultRoot : std::string(runtime_dir) + "/orlop-oci";
}

// orlop-scope is installed beside this program. Where that is, is lost once the program runs from a copy of
// itself: hence the variable.
constexpr auto kScopeHelper = "ORLOP_SCOPE_HELPER";

std::string scope_helper() {
    if (const char* known = getenv(kScopeHelper)) return known;
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    const std::string self(path, n > 0 ? static_cast<size_t>(n) : 0);
    return self.substr(0, self.rfind('/') + 1) + "orlop-scope";
}

Settings settings_of(const GlobalOptions& options) {
    return {.root = options.root.empty() ? default_root() : absolute(options.root),
            .systemd_cgroup = options.systemd_cgroup,
            .scope_helper = scope_helper(),
            .log = Log({options.log, options.log_format == "json", options.debug})};
}

// Descriptors 0 to 2 are used as what they are: one that is closed must not become something else's.
Status open_stdio() {
    for (int fd = 0; fd < 3; ++fd) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return Error::sys("open /dev/null");
    }
    return ok();
}

int run_command_of(const GlobalOptions& options, const Command& command, char** argv) {
    const Settings settings = settings_of(options);
    const Strings arguments(options.words.begin() + 1, options.words.end());
    if (command.meets_containers) {
        if (settings.systemd_cgroup) setenv(kScopeHelper, settings.scope_helper.c_str(), 1);
        if (auto r = launch::protect_own_binary(argv); !r) {
            settings.log.error("protect the program's own file: " + r.error().what());
            return command.failure;
        }
        unsetenv(kScopeHelper);  // no business of hooks
    }
    auto code = command.run({settings, arguments});
    if (code) return *code;
    settings.log.error(code.error().what());
    return command.failure;
}

}  // namespace

Status print(std::string_view text) {
    return write_all(STDOUT_FILENO, text).under("stdout");
}

Result<int> print_help(const std::string& help) {
    TRY(print(help));
    return 0;
}

int run_program(int argc, char** argv) {
    const auto plain_error = [](const std::string& message, int code) {
        (void)write_all(STDERR_FILENO, "orlop-oci: " + message + "\n");
        return code;
    };
    if (auto r = open_stdio(); !r) return plain_error(r.error().what(), kFailed);
    auto options = parse_global(Strings(argv + 1, argv + argc));
    if (!options) return plain_error(options.error().what(), kFailed);
    if (options->version) return print(versions()) ? 0 : kFailed;
    const bool asks = !options->words.empty() && (options->words[0] == "help" || options->words[0] == "h");
    if (asks || (options->help.empty() && options->words.empty())) {
        options = parse_global({"--help"});
    }
    if (!options->help.empty()) return print(options->help) ? 0 : kFailed;
    const Command* command = find(options->words[0]);
    if (command == nullptr) return plain_error("no such command: " + options->words[0], kNoSuchCommand);
    return run_command_of(*options, *command, argv);
}

}  // namespace orlop::oci
