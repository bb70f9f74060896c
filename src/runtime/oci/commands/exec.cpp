#include "base/dir.h"
#include "runtime/oci/bundle.h"
#include "runtime/oci/commands.h"
#include "runtime/oci/console.h"
#include "runtime/oci/exec_process.h"
#include "runtime/oci/foreground.h"
#include "runtime/oci/host.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

namespace {

constexpr size_t kProcessLimit = 16u << 20;

struct Target {
    Record record;
    ContainerSpec spec;
    cgroups::Hierarchies hierarchies;
    HostFacts facts;
};

Status can_exec(State state, bool ignore_paused) {
    if (state == State::Stopped || state == State::Creating) {
        return Error::precondition("cannot exec in a stopped container");
    }
    if (state == State::Paused && !ignore_paused) {
        return Error::precondition("cannot exec in a paused container (use --ignore-paused to override)");
    }
    return ok();
}

Result<Target> find(const Call& call, const ExecOptions& options) {
    const ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(options.id))));
    Target target{
        .record = TRY(dir.record()), .spec = {}, .hierarchies = TRY(cgroups::detect_any()), .facts = {}};
    TRY(can_exec(state_of(dir, target.record, target.hierarchies), options.ignore_paused));
    target.facts = host_facts(target.hierarchies, false);
    target.spec = TRY(parse_spec(TRY(dir.config()), target.record.bundle, target.facts));
    return target;
}

// The masks of --cap, by way of the one table of names.
Result<uint64_t> capabilities_of(const Strings& names, const HostFacts& facts) {
    uint64_t all = 0;
    for (const std::string& name : names) {
        const bool plain =
            name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == std::string::npos;
        const std::string json = R"({"args":["x"],"cwd":"/","capabilities":{"bounding":[")" + name + "\"]}}";
        const uint64_t mask =
            plain ? TRY(parse_process(json, facts).under("--cap")).capabilities.bounding : 0;
        if (mask == 0) return Error::invalid("--cap: \"" + name + "\" is unknown or not ours to give");
        all |= mask;
    }
    return all;
}

Result<launch::Process> make_process(const Call& call, const ExecOptions& options, Target& target) {
    launch::Process base = std::move(target.spec.plan.process);
    if (!options.process_file.empty()) {
        const std::string json = TRY(read_file(options.process_file, kProcessLimit));
        base = TRY(parse_process(json, target.facts).under(options.process_file));
    }
    TRY(fill_seccomp(call.settings, target.spec.seccomp_profile, base));
    return process_for(options, std::move(base), TRY(capabilities_of(options.capabilities, target.facts)));
}

// cgroup v2: a container's first process may have moved itself and the rest into cgroups below
// (cgroups(7), "no internal processes"); then we follow it.
Result<launch::CgroupJoin> cgroup_of_first(const Target& target, launch::CgroupJoin join) {
    const std::string text = TRY(read_file("/proc/" + std::to_string(target.record.pid) + "/cgroup"));
    const size_t at = text.starts_with("0::") ? 3 : text.find("\n0::");
    if (at == std::string::npos) return Error::not_found("the container's first process has no v2 cgroup");
    const size_t from = at == 3 ? at : at + 4;
    const std::string path = text.substr(from, text.find('\n', from) - from);
    const std::string& old = target.record.cgroup.path;
    if (!join.v2_dir.ends_with(old)) return Error::invalid("--cgroup cannot be joined");
    join.v2_dir.replace(join.v2_dir.size() - old.size(), old.size(), path);
    return join;
}

Result<launch::Launching> launch_in(const Target& target, launch::ExecPlan plan) {
    const std::string state = state_for_hooks(target.record, State::Running);
    const launch::Stdio io{0, 1, 2};
    auto launching = launch::launch_exec(plan, io, target.record.pid, state);
    if (launching || launching.error().errnum() != EBUSY || plan.cgroup.v2_dir.empty()) return launching;
    plan.cgroup = TRY(cgroup_of_first(target, std::move(plan.cgroup)));
    return launch::launch_exec(plan, io, target.record.pid, state);
}

Result<launch::Launching> start(const Call& call, const ExecOptions& options) {
    const PassedFds passed = TRY(passed_fds(options.preserve_fds));
    Target target = TRY(find(call, options));
    launch::ExecPlan plan{.process = TRY(make_process(call, options, target)), .cgroup = {}};
    TRY(check_console(plan.process.terminal, options.detach, options.console_socket));
    plan.process.preserve_fds = passed.count;
    plan.process.env.insert(plan.process.env.end(), passed.env.begin(), passed.env.end());
    plan.cgroup = TRY(
        cgroup_for(options.cgroups, join_of(cgroups::Cgroup(target.hierarchies, target.record.cgroup.path))));
    launch::Launching process = TRY(launch_in(target, std::move(plan)));
    const auto settle = [&]() -> Status {
        TRY(wait_for_news(process));
        if (process.terminal && !options.console_socket.empty()) {
            TRY(send_terminal(options.console_socket, process.terminal.get()));
        }
        return write_pid_file(options.pid_file, process.pid);
    };
    if (auto settled = settle(); !settled) {
        kill_child(process.pid);
        return std::move(settled).error();
    }
    return process;
}

Result<int> run(const Call& call, const ExecOptions& options) {
    UniqueFd signals;
    if (!options.detach) {
        signals = TRY(block_signals());
        TRY(become_subreaper());
    }
    const launch::Launching process = TRY(start(call, options));
    if (options.detach) return 0;
    return wait_in_foreground(process.pid, signals.get(), process.terminal.get(), true);
}

}  // namespace

Result<int> exec_command(const Call& call) {
    const ExecOptions options = TRY(parse_exec(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    return run(call, options).under("exec failed");
}

}  // namespace orlop::oci
