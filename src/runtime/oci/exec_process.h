// The process of `exec`: the container's own, changed by flags, or one given whole. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/launch/plan.h"
#include "runtime/oci/options.h"

namespace orlop::oci {

// `process` is the container's (config.json) when flags say what to run, else that of --process, which has
// the container's seccomp filter too. `capabilities` are those that --cap adds.
Result<launch::Process> process_for(const ExecOptions& options, launch::Process process,
                                    uint64_t capabilities);

// The container's cgroup, or the one below it that --cgroup names ("[CONTROLLER[,CONTROLLER]:]PATH").
// A v1 hierarchy has the controllers that its mount point is named after.
Result<launch::CgroupJoin> cgroup_for(const std::vector<std::string>& wanted, launch::CgroupJoin container);

}  // namespace orlop::oci
