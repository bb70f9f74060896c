// What was read, as the CRI says it. Pure.
#pragma once

#include "cri/api.pb.h"
#include "runtime/core/stats/reading.h"

namespace orlop::core {

cri::ContainerStats container_stats(const ContainerRecord& container, const Reading& reading,
                                    const std::optional<Disk>& disk);
// Without its containers.
cri::PodSandboxStats sandbox_stats(const SandboxRecord& sandbox, const Reading& reading,
                                   const std::vector<InterfaceCounters>& interfaces);

// The filters of the lists: all given fields have to match; ids may be abbreviated.
bool matches(const cri::ContainerStatsFilter& filter, const ContainerRecord& container);
bool matches(const cri::PodSandboxStatsFilter& filter, const SandboxRecord& sandbox);

}  // namespace orlop::core
