#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/spawn.h"
#include "runtime/oci/commands.h"
#include "runtime/oci/ps_table.h"
#include "runtime/oci/store.h"

namespace orlop::oci {

namespace {

constexpr Nanos kPsTimeout = std::chrono::seconds(30);

Result<std::string> find_in_path(const std::string& program) {
    const char* variable = getenv("PATH");
    const std::string path = variable == nullptr ? "/usr/bin:/bin" : variable;
    for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find(':', at), path.size());
        std::string candidate = path.substr(at, end - at) + "/" + program;
        if (access(candidate.c_str(), X_OK) == 0) return candidate;
        at = end + 1;
    }
    return Error::not_found(program + " is not in $PATH");
}

Result<std::string> run_ps(Strings arguments) {
    if (arguments.empty()) arguments = {"-ef"};
    SpawnSpec spec{.argv = {TRY(find_in_path("ps"))}, .env = current_env(), .fds = {}};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    const CommandResult result = TRY(run_command(std::move(spec), "", kPsTimeout));
    if (!result.succeeded()) return Error::failed("ps: " + result.err);
    return result.out;
}

std::string as_json(const std::vector<pid_t>& pids) {
    std::string out;
    for (const pid_t pid : pids) out += (out.empty() ? "" : ",") + std::to_string(pid);
    return "[" + out + "]\n";
}

}  // namespace

Result<int> ps_command(const Call& call) {
    const PsOptions options = TRY(parse_ps(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(options.id))));
    const Record record = TRY(dir.record());
    const auto hierarchies = TRY(cgroups::detect_any());
    const cgroups::Cgroup cgroup(hierarchies, record.cgroup.path);
    std::vector<pid_t> pids;
    // A stopped container's cgroup may be gone already.
    if (cgroup.exists()) pids = TRY(cgroup.processes_recursive());
    std::sort(pids.begin(), pids.end());
    TRY(print(options.json ? as_json(pids) : TRY(filter_ps(TRY(run_ps(options.ps_arguments)), pids))));
    return 0;
}

}  // namespace orlop::oci
