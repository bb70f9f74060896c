// The cgroup v2 device controller is a BPF program (kernel: admin-guide/cgroup-v2, "Device controller").
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "base/result.h"
#include "cgroups/resources.h"

namespace orlop::cgroups {

// Pure: the program that answers 1 (allow) or 0 for an access. Later rules win, so they are asked first; what
// no rule names is denied.
Result<std::vector<bpf_insn>> device_program(const std::vector<DeviceRule>& rules);

}  // namespace orlop::cgroups
