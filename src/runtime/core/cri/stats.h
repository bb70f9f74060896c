// The RPCs that count: stats and metrics of containers and pods.
#pragma once

#include <functional>

#include "cri/api.pb.h"
#include "runtime/core/parts.h"
#include "runtime/core/stats/sampler.h"

namespace orlop::core {

// NotFound for an unknown id.
Result<cri::ContainerStats> stats_of_container(Parts& parts, Sampler& sampler, const std::string& id);
Result<cri::PodSandboxStats> stats_of_sandbox(Parts& parts, Sampler& sampler, const std::string& id);

// One after the other; false from `each` ends it.
template <class T>
using Each = std::function<bool(T)>;
void each_container_stats(Parts& parts, Sampler& sampler, const cri::ContainerStatsFilter& filter,
                          const Each<cri::ContainerStats>& each);
void each_sandbox_stats(Parts& parts, Sampler& sampler, const cri::PodSandboxStatsFilter& filter,
                        const Each<cri::PodSandboxStats>& each);
void each_sandbox_metrics(Parts& parts, Sampler& sampler, const Each<cri::PodSandboxMetrics>& each);

// Looks at the CPU time of all that runs, so that a rate is known when it is asked for.
void sample_cpu(Parts& parts, Sampler& sampler);

}  // namespace orlop::core
