#include "runtime/launch/gate.h"
#include "runtime/oci/commands.h"
#include "runtime/oci/status.h"
#include "runtime/oci/teardown.h"

namespace orlop::oci {

namespace {

// The container's own startContainer hooks run in this time.
constexpr Nanos kStartTimeout = std::chrono::hours(1);

Status can_start(State state) {
    switch (state) {
        case State::Created:
            return ok();
        case State::Stopped:
            return Error::precondition("cannot start a container that has stopped");
        case State::Paused:
            return Error::precondition("cannot start a paused container");
        case State::Running:
        case State::Creating:
            break;
    }
    return Error::precondition("cannot start an already running container");
}

}  // namespace

Result<int> start_command(const Call& call) {
    const IdOptions options =
        TRY(parse_id_only("start", "Runs the process of a created container.", call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(options.id))));
    TRY(dir.lock(kLockTimeout));
    const Record record = TRY(dir.record());
    const auto hierarchies = TRY(cgroups::detect_any());
    TRY(can_start(state_of(dir, record, hierarchies)));
    const LaterHooks hooks = later_hooks(call.settings, dir, record, hierarchies);
    const auto opened = launch::open_gate(dir.gate_path(), kStartTimeout);
    // Opened once, whatever came of it: nobody waits there any more.
    TRY(dir.remove_gate());
    TRY(opened);
    run_poststart(call.settings, record, hooks.poststart);
    return 0;
}

}  // namespace orlop::oci
