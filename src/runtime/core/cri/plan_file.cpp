#include "runtime/core/cri/handlers.h"
#include "runtime/launch/codec.h"

namespace orlop::core {

Status save_plan(const Dir& container, const launch::LaunchPlan& plan) {
    return container.write_atomic("plan", launch::encode(plan));
}

Result<launch::LaunchPlan> load_plan(const Containers& containers, const std::string& id) {
    const std::string bytes = TRY(containers.dir().read(id + "/plan"));
    return launch::decode<launch::LaunchPlan>(bytes).under("plan of container " + id);
}

launch::CgroupJoin join_of(const cgroups::Cgroup& cgroup) {
    launch::CgroupJoin join{.path = cgroup.path(), .v1_dirs = cgroup.directories()};
    const cgroups::Hierarchies& h = cgroup.hierarchies();
    if (h.version == cgroups::Version::V2 || !h.hybrid_v2.empty()) {
        join.v2_dir = join.v1_dirs.front();
        join.v1_dirs.erase(join.v1_dirs.begin());
    }
    return join;
}

}  // namespace orlop::core
