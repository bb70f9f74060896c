#include "runtime/oci/commands.h"
#include "runtime/oci/status.h"
#include "runtime/oci/teardown.h"

namespace orlop::oci {

namespace {

Status remove(const Settings& settings, ContainerDir& dir, const DeleteOptions& options) {
    TRY(dir.lock(kLockTimeout));
    auto record = dir.record();
    if (!record) {
        // Its creator was killed before anything but the directory was made.
        if (options.force) return dir.remove();
        return std::move(record).error();
    }
    const auto hierarchies = TRY(cgroups::detect_any());
    const State state = state_of(dir, *record, hierarchies);
    // As runc does it: one that was never started needs no force.
    if (state != State::Stopped && state != State::Created && !options.force) {
        return Error::precondition("cannot delete container " + options.id +
                                   " that is not stopped: " + std::string(name_of(state)));
    }
    if (state != State::Stopped) TRY(kill_container(*record, hierarchies));
    const LaterHooks hooks = later_hooks(settings, dir, *record, hierarchies);
    return remove_container(settings, dir, *record, hierarchies, hooks.poststop);
}

}  // namespace

Result<int> delete_command(const Call& call) {
    const DeleteOptions options = TRY(parse_delete(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const Id id = TRY(Id::parse(options.id));
    auto dir = ContainerDir::open(call.settings.root, id);
    const auto removed = dir ? remove(call.settings, *dir, options) : Status(dir.error());
    if (!removed && options.force && removed.error().kind() == Kind::NotFound) {
        if (!ContainerDir::open(call.settings.root, id)) return 0;
    }
    TRY(removed);
    return 0;
}

}  // namespace orlop::oci
