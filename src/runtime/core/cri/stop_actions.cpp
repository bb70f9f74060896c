#include "runtime/core/cri/stop_actions.h"

#include <signal.h>

#include "base/fault.h"

namespace orlop::core {

namespace {

constexpr Nanos kAnswer = std::chrono::seconds(5);
constexpr Nanos kForce = std::chrono::seconds(10);

}  // namespace

Status ShimStopActions::signal(const ContainerRecord& c) {
    auto reply = hub_.call(c.sandbox, shim::Signal{.container = c.id, .signal = c.stop_signal}, {}, kAnswer);
    fault_point("stop signal");
    return reply ? ok() : Status(std::move(reply).error());
}

Status ShimStopActions::kill(const ContainerRecord& c) {
    auto reply = hub_.call(c.sandbox, shim::Signal{.container = c.id, .signal = SIGKILL, .everything = true},
                           {}, kAnswer);
    return reply ? ok() : Status(std::move(reply).error());
}

Status ShimStopActions::force(const ContainerRecord& c) {
    const auto sandbox = state_.sandboxes->get(c.sandbox);
    if (!sandbox || sandbox->cgroup_path.empty()) return ok();
    const auto cgroup = cgroups::Cgroup(hierarchies_, sandbox->cgroup_path).child(c.id);
    return cgroup.exists() ? cgroup.kill_all(kForce) : ok();
}

Status ShimStopActions::presume_dead(const ContainerRecord& c) {
    return lifecycle_.take_exit(c.sandbox, {.container = c.id,
                                            .code = 128 + SIGKILL,
                                            .started_at = c.started_at,
                                            .finished_at = clock_.wall().count()});
}

}  // namespace orlop::core
