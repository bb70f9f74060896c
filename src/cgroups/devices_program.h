// Device rules as the kernel takes them: on v2 a BPF program (kernel: admin-guide/cgroup-v2, "Device
// controller"), on v1 lines for devices.allow and devices.deny (admin-guide/cgroup-v1/devices).
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "base/result.h"
#include "cgroups/resources.h"

namespace orlop::cgroups {

// Pure: the program that answers 1 (allow) or 0 for an access. Later rules win, so they are asked first; what
// no rule names is denied.
Result<std::vector<bpf_insn>> device_program(const std::vector<DeviceRule>& rules);

// Pure: one write(2) each, in this order.
struct DeviceLine {
    bool allow;
    std::string text;
    bool operator==(const DeviceLine&) const = default;
};
std::vector<DeviceLine> device_lines(const std::vector<DeviceRule>& rules);

// "rwm", in whatever order.
bool has_all_access(const DeviceRule& rule);

}  // namespace orlop::cgroups
