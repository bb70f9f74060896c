#include "runtime/oci/teardown.h"

#include <signal.h>

#include "cgroups/container.h"
#include "runtime/launch/hooks.h"
#include "runtime/oci/host.h"
#include "runtime/oci/spec/spec.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

Status kill_container(const Record& record, const cgroups::Hierarchies& hierarchies) {
    const ProcessHandle first = open_first_process(record);
    if (first) {
        const Status sent = first.signal(SIGKILL);
        if (!sent && sent.error().kind() != Kind::NotFound) return sent;
    }
    if (!record.cgroup.path.empty()) {
        const cgroups::Cgroup cgroup(hierarchies, record.cgroup.path);
        // On v1 a frozen process does not even die.
        if (cgroup.exists()) {
            if (cgroup.frozen().value_or(false)) TRY(cgroup.thaw(kKillTimeout));
            TRY(cgroup.kill_all(kKillTimeout));
        }
    }
    if (!first) return ok();
    return first.wait_end(kKillTimeout).under("container init still running");
}

Status remove_container(const Settings& settings, const ContainerDir& dir, const Record& record,
                        const cgroups::Hierarchies& hierarchies, const std::vector<launch::Hook>& poststop) {
    if (!record.cgroup.path.empty()) {
        TRY(cgroups::remove_container_cgroup(record.cgroup, settings.scope_helper, hierarchies)
                .under("remove the container's cgroup"));
    }
    auto hooks =
        launch::run_hooks("poststop", poststop, state_for_hooks(record, State::Stopped), record.bundle);
    if (!hooks) settings.log.warning(hooks.error().what());
    return dir.remove();
}

LaterHooks later_hooks(const Settings& settings, const ContainerDir& dir, const Record& record,
                       const cgroups::Hierarchies& hierarchies) {
    const auto config = dir.config();
    // The whole translation is not worth its time when there is nothing to find.
    const bool any = config && (config->find("poststart") != std::string::npos ||
                                config->find("poststop") != std::string::npos);
    if (config && !any) return {};
    auto spec = config ? parse_spec(*config, record.bundle, host_facts(hierarchies, false))
                       : Result<ContainerSpec>(config.error());
    if (!spec) {
        settings.log.warning("hooks of container " + record.id + " are unknown: " + spec.error().what());
        return {};
    }
    return {std::move(spec->hooks.poststart), std::move(spec->hooks.poststop)};
}

void run_poststart(const Settings& settings, const Record& record, const std::vector<launch::Hook>& hooks) {
    auto done = launch::run_hooks("poststart", hooks, state_for_hooks(record, State::Running), record.bundle);
    if (!done) settings.log.warning(done.error().what());
}

}  // namespace orlop::oci
