#include "cgroups/saved_limits.h"
#include "runtime/core/cri/resource_update.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

template <class T>
T given_or(const T& given, const T& old) {
    return given == T() ? old : given;
}

void merge_hugepages(cri::LinuxContainerResources& into, const cri::LinuxContainerResources& change) {
    for (const auto& limit : change.hugepage_limits()) {
        auto& list = *into.mutable_hugepage_limits();
        const auto same = std::find_if(list.begin(), list.end(), [&](const cri::HugepageLimit& old) {
            return old.page_size() == limit.page_size();
        });
        (same == list.end() ? *into.add_hugepage_limits() : *same) = limit;
    }
}

Status apply(Parts& parts, const ContainerRecord& container, const cri::LinuxContainerResources& resources) {
    const auto limits = TRY(plan::plan_limits(resources, parts.facts));
    if (container.phase != ContainerPhase::Running) return ok();
    const auto sandbox = TRY(inner(parts.state.sandboxes->resolve(container.sandbox)));
    return inner(cgroups::apply_or_restore(parts.cgroup_of(*sandbox, container.id), limits));
}

}  // namespace

cri::LinuxContainerResources merged(cri::LinuxContainerResources old,
                                    const cri::LinuxContainerResources& change) {
    const bool no_swap = old.memory_swap_limit_in_bytes() != 0 &&
                         old.memory_swap_limit_in_bytes() == old.memory_limit_in_bytes();
    cri::LinuxContainerResources out = std::move(old);
    out.set_cpu_period(given_or(change.cpu_period(), out.cpu_period()));
    out.set_cpu_quota(given_or(change.cpu_quota(), out.cpu_quota()));
    out.set_cpu_shares(given_or(change.cpu_shares(), out.cpu_shares()));
    out.set_memory_limit_in_bytes(given_or(change.memory_limit_in_bytes(), out.memory_limit_in_bytes()));
    const int64_t swap = no_swap ? out.memory_limit_in_bytes() : out.memory_swap_limit_in_bytes();
    out.set_memory_swap_limit_in_bytes(given_or(change.memory_swap_limit_in_bytes(), swap));
    out.set_cpuset_cpus(given_or(change.cpuset_cpus(), out.cpuset_cpus()));
    out.set_cpuset_mems(given_or(change.cpuset_mems(), out.cpuset_mems()));
    merge_hugepages(out, change);
    for (const auto& [file, content] : change.unified()) (*out.mutable_unified())[file] = content;
    return out;
}

Status update_container(Parts& parts, const cri::UpdateContainerResourcesRequest& request, Nanos wait) {
    const auto found = TRY(parts.state.containers->resolve(request.container_id()));
    const std::string whose = "update container " + found->id;
    if (!request.has_linux()) return Error::invalid(whose + ": linux is missing");
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(found->sandbox, wait));
    const Containers::Ptr container = TRY(parts.state.containers->resolve(found->id));
    if (container->phase == ContainerPhase::Exited) return Error::precondition(whose + ": it has ended");
    const auto before = container->config.linux().resources();
    const auto next = merged(before, request.linux());
    TRY(apply(parts, *container, next).under(whose));
    auto updated = inner(parts.state.containers->update(container->id, [&](ContainerRecord record) {
        *record.config.mutable_linux()->mutable_resources() = next;
        return record;
    }));
    if (updated) return ok();
    const Status undone = apply(parts, *container, before);
    return undone ? std::move(updated).error() : std::move(updated).error().also(undone.error());
}

}  // namespace orlop::core
