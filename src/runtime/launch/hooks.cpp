#include <signal.h>

#include "base/spawn.h"
#include "runtime/launch/process.h"

namespace orlop::launch {

namespace {

constexpr size_t kShown = 512;

Status run_hook(const Hook& hook, const std::string& state) {
    SpawnSpec spec;
    spec.argv = hook.args;
    if (spec.argv.empty()) spec.argv = {hook.path};
    spec.program = hook.path;
    spec.env = hook.env;
    const Nanos timeout =
        hook.timeout_seconds ? Nanos(std::chrono::seconds(*hook.timeout_seconds)) : Nanos(-1);
    const CommandResult result = TRY(run_command(std::move(spec), state, timeout));
    if (result.succeeded()) return ok();
    const std::string said = result.err.empty() ? result.out : result.err;
    return Error::failed("exit code " + std::to_string(result.exit_code()) +
                         (said.empty() ? "" : ": " + said.substr(0, kShown)));
}

}  // namespace

// A hook that does not read its input must not end us.
Status run_hooks(const std::vector<Hook>& hooks, const std::string& state, const std::string& kind) {
    if (hooks.empty()) return ok();
    const auto before = signal(SIGPIPE, SIG_IGN);
    Status status = ok();
    for (const Hook& hook : hooks) {
        status = run_hook(hook, state).under(kind + " hook " + hook.path);
        if (!status) break;
    }
    signal(SIGPIPE, before);
    return status;
}

}  // namespace orlop::launch
