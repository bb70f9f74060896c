// The metrics that the kubelet passes on under /metrics/cadvisor: names and labels are cAdvisor's.
#pragma once

#include <vector>

#include "cri/api.pb.h"
#include "runtime/core/stats/reading.h"

namespace orlop::core {

struct ContainerFacts {
    const SandboxRecord& sandbox;
    const ContainerRecord& container;
    const Reading& reading;
    const std::optional<Disk>& disk;
    const Processes& processes;
};
struct PodFacts {
    const SandboxRecord& sandbox;
    int64_t at = 0;  // ns since the epoch
    const std::vector<InterfaceCounters>& interfaces;
};

// All there are; the same for the life of the daemon.
std::vector<cri::MetricDescriptor> metric_descriptors();
// Pure. What the host does not count is left out.
std::vector<cri::Metric> container_metrics(const ContainerFacts& facts);
std::vector<cri::Metric> pod_metrics(const PodFacts& facts);

}  // namespace orlop::core
