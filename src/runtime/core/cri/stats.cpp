#include "runtime/core/cri/stats.h"

#include "runtime/core/stats/messages.h"
#include "runtime/core/stats/metrics.h"

namespace orlop::core {

namespace {

cri::ContainerStats look(Parts& parts, Sampler& sampler, const ContainerRecord& container) {
    return container_stats(container, read_container(parts, sampler, container),
                           read_disk(parts, sampler, container));
}

cri::PodSandboxStats look(Parts& parts, Sampler& sampler, const SandboxRecord& sandbox) {
    cri::PodSandboxStats stats =
        sandbox_stats(sandbox, read_pod(parts, sampler, sandbox), read_interfaces(sandbox));
    for (const auto& container : parts.state.containers_of(sandbox.id)) {
        if (container->phase == ContainerPhase::Running)
            *stats.mutable_linux()->add_containers() = look(parts, sampler, *container);
    }
    return stats;
}

}  // namespace

Result<cri::ContainerStats> stats_of_container(Parts& parts, Sampler& sampler, const std::string& id) {
    return look(parts, sampler, *TRY(parts.state.containers->resolve(id)));
}

Result<cri::PodSandboxStats> stats_of_sandbox(Parts& parts, Sampler& sampler, const std::string& id) {
    return look(parts, sampler, *TRY(parts.state.sandboxes->resolve(id)));
}

// As its clients expect: of what runs.
void each_container_stats(Parts& parts, Sampler& sampler, const cri::ContainerStatsFilter& filter,
                          const Each<cri::ContainerStats>& each) {
    for (const auto& container : parts.state.containers->list()) {
        if (container->phase != ContainerPhase::Running || !matches(filter, *container)) continue;
        if (!each(look(parts, sampler, *container))) return;
    }
}

void each_sandbox_stats(Parts& parts, Sampler& sampler, const cri::PodSandboxStatsFilter& filter,
                        const Each<cri::PodSandboxStats>& each) {
    for (const auto& sandbox : parts.state.sandboxes->list()) {
        if (sandbox->phase != SandboxPhase::Ready || !matches(filter, *sandbox)) continue;
        if (!each(look(parts, sampler, *sandbox))) return;
    }
}

void each_sandbox_metrics(Parts& parts, Sampler& sampler, const Each<cri::PodSandboxMetrics>& each) {
    for (const auto& sandbox : parts.state.sandboxes->list()) {
        if (sandbox->phase != SandboxPhase::Ready) continue;
        cri::PodSandboxMetrics all;
        all.set_pod_sandbox_id(sandbox->id);
        const auto interfaces = read_interfaces(*sandbox);
        const auto pod =
            pod_metrics({.sandbox = *sandbox, .at = parts.clock.wall().count(), .interfaces = interfaces});
        all.mutable_metrics()->Add(pod.begin(), pod.end());
        for (const auto& container : parts.state.containers_of(sandbox->id)) {
            if (container->phase != ContainerPhase::Running) continue;
            auto* one = all.add_container_metrics();
            one->set_container_id(container->id);
            const Reading reading = read_container(parts, sampler, *container);
            const auto disk = read_disk(parts, sampler, *container);
            const Processes processes = read_processes(parts, *container);
            const auto metrics = container_metrics({.sandbox = *sandbox,
                                                    .container = *container,
                                                    .reading = reading,
                                                    .disk = disk,
                                                    .processes = processes});
            one->mutable_metrics()->Add(metrics.begin(), metrics.end());
        }
        if (!each(std::move(all))) return;
    }
}

void sample_cpu(Parts& parts, Sampler& sampler) {
    const auto look = [&](const std::string& id, const cgroups::Cgroup& cgroup) {
        // What ends just now has no rate.
        if (const auto stats = cgroup.stats()) (void)sampler.nano_cores(id, stats->cpu_usage_ns);
    };
    for (const auto& sandbox : parts.state.sandboxes->list()) {
        if (sandbox->phase != SandboxPhase::Ready || sandbox->cgroup_path.empty()) continue;
        look(sandbox->id, parts.cgroup_of(*sandbox));
        for (const auto& container : parts.state.containers_of(sandbox->id)) {
            if (container->phase == ContainerPhase::Running)
                look(container->id, parts.cgroup_of(*sandbox, container->id));
        }
    }
    sampler.retain([&](const std::string& id) {
        return parts.state.containers->get(id) != nullptr || parts.state.sandboxes->get(id) != nullptr;
    });
}

}  // namespace orlop::core
