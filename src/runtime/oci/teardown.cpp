#include "runtime/oci/teardown.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "cgroups/container.h"
#include "runtime/oci/hooks.h"
#include "runtime/oci/host.h"
#include "runtime/oci/spec/spec.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

Status kill_container(const Record& record, const cgroups::Hierarchies& hierarchies) {
    const UniqueFd first = open_first_process(record);
    if (first && syscall(SYS_pidfd_send_signal, first.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
        return Error::sys("kill process " + std::to_string(record.pid));
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
    pollfd fd{first.get(), POLLIN, 0};
    const int n = poll(&fd, 1, static_cast<int>(std::chrono::duration_cast<Millis>(kKillTimeout).count()));
    if (n == 0) return Error::timed_out("container init still running");
    return ok();
}

Status remove_container(const Settings& settings, const ContainerDir& dir, const Record& record,
                        const cgroups::Hierarchies& hierarchies, const std::vector<launch::Hook>& poststop) {
    if (!record.cgroup.path.empty()) {
        TRY(cgroups::remove_container_cgroup(record.cgroup, settings.scope_helper, hierarchies)
                .under("remove the container's cgroup"));
    }
    auto hooks = run_hooks("poststop", poststop, state_for_hooks(record, State::Stopped), record.bundle);
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
    auto done = run_hooks("poststart", hooks, state_for_hooks(record, State::Running), record.bundle);
    if (!done) settings.log.warning(done.error().what());
}

}  // namespace orlop::oci
