#include "runtime/core/cri/pid_target.h"

namespace orlop::core {

Result<Containers::Ptr> running_target(const State& state, const std::string& sandbox,
                                       const std::string& id) {
    const std::string what = "namespace_options.target_id \"" + id + "\": ";
    const auto target = state.containers->resolve(id);
    if (!target || (*target)->sandbox != sandbox) return Error::invalid(what + "no container of this pod");
    if ((*target)->phase != ContainerPhase::Running || (*target)->pid <= 0)
        return Error::precondition(what + "that container does not run");
    return *target;
}

}  // namespace orlop::core
