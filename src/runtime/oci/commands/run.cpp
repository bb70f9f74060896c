#include "runtime/launch/hooks.h"
#include "runtime/oci/commands.h"
#include "runtime/oci/foreground.h"
#include "runtime/oci/new_container.h"
#include "runtime/oci/teardown.h"

namespace orlop::oci {

namespace {

Result<int> in_foreground(const Call& call, const RunOptions& options) {
    const UniqueFd signals = TRY(block_signals());
    if (!options.no_subreaper) TRY(become_subreaper());
    NewContainer made = TRY(make_container(call.settings, options, {}));
    run_poststart(call.settings, made.record, made.hooks.poststart);
    made.dir.unlock();
    auto code = wait_in_foreground(made.process.pid, signals.get(), made.process.terminal.get(),
                                   !options.no_subreaper);
    if (options.keep) return code;
    const auto locked = made.dir.lock(kLockTimeout);
    // Somebody else has deleted it.
    if (!locked && locked.error().kind() == Kind::NotFound) return code;
    TRY(locked);
    TRY(remove_container(call.settings, made.dir, made.record, made.hierarchies, made.hooks.poststop));
    return code;
}

}  // namespace

Result<int> run_command(const Call& call) {
    const RunOptions options = TRY(parse_run(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    if (!options.detach) return in_foreground(call, options).under("run failed");
    const NewContainer made =
        TRY(make_container(call.settings, options, {.gated = false, .detached = true}).under("run failed"));
    run_poststart(call.settings, made.record, made.hooks.poststart);
    return 0;
}

}  // namespace orlop::oci
