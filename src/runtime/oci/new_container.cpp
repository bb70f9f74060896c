#include "runtime/oci/new_container.h"

#include <cstdlib>

#include "base/clock.h"
#include "base/undo.h"
#include "cgroups/container.h"
#include "cgroups/membership.h"
#include "runtime/launch/gate.h"
#include "runtime/launch/hooks.h"
#include "runtime/oci/bundle.h"
#include "runtime/oci/console.h"
#include "runtime/oci/host.h"
#include "runtime/oci/status.h"
#include "runtime/oci/teardown.h"
#include "runtime/seccomp/profile.h"

namespace orlop::oci {

namespace {

struct Work {
    const Settings& settings;
    const RunOptions& options;
    const Manner manner;
    Bundle bundle;
    ContainerSpec spec;
    cgroups::Hierarchies hierarchies;
    Record record;
    UndoStack undo;
    bool hooks_have_run = false;
};

Record first_record(const Work& work) {
    const launch::LaunchPlan& plan = work.spec.plan;
    Record record{.version = work.spec.version,
                  .id = work.options.id,
                  .bundle = work.bundle.path,
                  .rootfs = plan.root.path,
                  .created = rfc3339_nano(SystemClock().wall()),
                  .annotations = work.spec.annotations,
                  .cgroup = {},
                  .own_pid_namespace = plan.pid.from == launch::NsFrom::New};
    return record;
}

cgroups::ContainerRequest cgroup_request(const Work& work) {
    return {.id = work.options.id,
            .cgroups_path = work.spec.cgroups_path,
            .systemd = work.settings.systemd_cgroup,
            .scope_helper = work.settings.scope_helper,
            .resources = work.spec.resources};
}

// What `delete` needs to remove everything is on disk before the thing itself is made.
Result<ContainerDir> claim(Work& work, const Id& id) {
    ContainerDir dir = TRY(ContainerDir::make(work.settings.root, id));
    work.undo.push("remove " + dir.path(), [path = dir.path(), root = work.settings.root, id]() -> Status {
        return TRY(ContainerDir::open(root, id)).remove();
    });
    const cgroups::ContainerRequest request = cgroup_request(work);
    const bool absolute = request.systemd || request.cgroups_path.starts_with("/");
    const std::string own = absolute ? "/" : TRY(cgroups::current_cgroup(work.hierarchies));
    work.record.cgroup = TRY(cgroups::locate(request, work.hierarchies, own));
    TRY(dir.write_record(work.record));
    return dir;
}

// Once hooks have run, a container that fails ends as any other does: with its poststop hooks.
void push_poststop(Work& work) {
    work.undo.push("poststop hooks", [&work]() -> Status {
        if (!work.hooks_have_run) return ok();
        return launch::run_hooks("poststop", work.spec.hooks.poststop,
                                 state_for_hooks(work.record, State::Stopped), work.record.bundle);
    });
}

Result<UniqueFd> make_cgroup(Work& work) {
    auto made = TRY(cgroups::create_container_cgroup(cgroup_request(work), work.hierarchies));
    work.undo.push("remove its cgroup", [&work]() -> Status {
        return cgroups::remove_container_cgroup(work.record.cgroup, work.settings.scope_helper,
                                                work.hierarchies);
    });
    return std::move(made.hold);
}

Status fill_plan(Work& work, const PassedFds& passed) {
    launch::LaunchPlan& plan = work.spec.plan;
    plan.id = work.options.id;
    plan.staging_dir = TRY(staging_dir(work.settings.root));
    plan.cgroup = join_of(cgroups::Cgroup(work.hierarchies, work.record.cgroup.path));
    if (!work.options.no_new_keyring) plan.session_keyring = "_ses." + work.options.id;
    plan.process.preserve_fds = passed.count;
    for (const std::string& variable : passed.env) plan.process.env.push_back(variable);
    return fill_seccomp(work.settings, work.spec.seccomp_profile, plan.process);
}

bool wants_hooks(const Work& work) {
    const Hooks& hooks = work.spec.hooks;
    return !hooks.prestart.empty() || !hooks.create_runtime.empty();
}

// prestart first: the specification's order, for a hook that was written before there were others.
Status runtime_hooks(Work& work) {
    const std::string state = state_for_hooks(work.record, State::Creating);
    work.hooks_have_run = true;
    TRY(launch::run_hooks("prestart", work.spec.hooks.prestart, state, work.record.bundle));
    return launch::run_hooks("createRuntime", work.spec.hooks.create_runtime, state, work.record.bundle);
}

Status bring_up(Work& work, launch::Launching& process, UniqueFd& hold) {
    for (;;) {
        const launch::Stage stage = TRY(wait_for_news(process));
        hold.reset();
        if (stage != launch::Stage::Hooks) return ok();
        TRY(runtime_hooks(work));
        TRY(launch::proceed(process, state_for_hooks(work.record, State::Creating)));
    }
}

Result<launch::Launching> start_process(Work& work, const ContainerDir& dir) {
    UniqueFd gate;
    if (work.manner.gated) gate = TRY(launch::make_gate(dir.gate_path()));
    const launch::Pauses pauses{.hooks = wants_hooks(work), .gate = gate.get()};
    launch::Launching process = TRY(launch::launch_container(work.spec.plan, {0, 1, 2}, {}, pauses));
    work.undo.push("kill its process", [pid = process.pid]() -> Status {
        kill_child(pid);
        return ok();
    });
    work.record.pid = process.pid;
    // None: it has failed already, and what comes next tells why.
    if (const auto stat = read_stat(process.pid)) work.record.pid_start = stat->start;
    return process;
}

Result<NewContainer> make(Work& work, const Id& id, const PassedFds& passed) {
    ContainerDir dir = TRY(claim(work, id));
    push_poststop(work);
    UniqueFd hold = TRY(make_cgroup(work).under("make the container's cgroup"));
    TRY(fill_plan(work, passed));
    launch::Launching process = TRY(start_process(work, dir));
    // The child is busy with its namespaces meanwhile.
    TRY(dir.write_config(work.bundle.config));
    TRY(bring_up(work, process, hold));
    if (process.terminal && !work.options.console_socket.empty()) {
        TRY(send_terminal(work.options.console_socket, process.terminal.get()));
    }
    TRY(dir.write_process(work.record));
    TRY(write_pid_file(work.options.pid_file, work.record.pid).under("--pid-file"));
    work.undo.commit();
    return NewContainer{std::move(dir), std::move(work.record), std::move(work.spec.hooks),
                        std::move(process), std::move(work.hierarchies)};
}

}  // namespace

Result<NewContainer> make_container(const Settings& settings, const RunOptions& options, Manner manner) {
    const PassedFds passed = TRY(passed_fds(options.preserve_fds));
    const Id id = TRY(Id::parse(options.id));
    Work work{.settings = settings, .options = options, .manner = manner};
    work.hierarchies = TRY(cgroups::detect_any());
    work.bundle = TRY(load_bundle(options.bundle));
    work.spec =
        TRY(parse_spec(work.bundle.config, work.bundle.path, host_facts(work.hierarchies, options.no_pivot)));
    TRY(check_console(work.spec.plan.process.terminal, manner.detached, options.console_socket));
    add_notify_socket(work.spec.plan);
    work.record = first_record(work);
    auto made = make(work, id, passed);
    if (made) return made;
    if (auto undone = work.undo.unwind(); !undone) return std::move(made).error().also(undone.error());
    return made;
}

}  // namespace orlop::oci
