// One look at a container or a pod, as the kernel counts it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cgroups/stats.h"
#include "images/store.h"
#include "runtime/core/parts.h"
#include "runtime/core/stats/interfaces.h"
#include "runtime/core/stats/sampler.h"

namespace orlop::core {

struct Reading {
    int64_t at = 0;                       // ns since the epoch
    std::optional<cgroups::Stats> stats;  // nothing for what does not run
    std::optional<uint64_t> nano_cores;
};

struct Disk {
    std::string mountpoint;  // of the filesystem that has the writable layer
    images::DiskUsage usage;
    uint64_t total_bytes = 0, total_inodes = 0, free_inodes = 0;  // of the filesystem
};

// The processes of a container by way of /proc: only for metrics, since each one is looked at.
struct Processes {
    uint64_t processes = 0, threads = 0, descriptors = 0, sockets = 0;
    uint64_t soft_open_files = 0;  // of its first process
};

Reading read_container(Parts& parts, Sampler& sampler, const ContainerRecord& container);
Reading read_pod(Parts& parts, Sampler& sampler, const SandboxRecord& sandbox);
std::optional<Disk> read_disk(Parts& parts, Sampler& sampler, const ContainerRecord& container);
Processes read_processes(Parts& parts, const ContainerRecord& container);
// None for a pod on the host's network, or one that is not ready.
std::vector<InterfaceCounters> read_interfaces(const SandboxRecord& sandbox);

}  // namespace orlop::core
