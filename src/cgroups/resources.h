// What a cgroup limits and allows, free of cgroup versions and drivers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orlop::cgroups {

// One entry of the device controller (kernel: admin-guide/cgroup-v1/devices). Later entries win.
struct DeviceRule {
    bool allow = false;
    char type = 'a';     // a all, b block, c character
    int64_t major = -1;  // -1 any
    int64_t minor = -1;  // -1 any
    std::string access = "rwm";
    bool operator==(const DeviceRule&) const = default;
};

// Unset = leave as it is. Sources: OCI runtime-spec config-linux.md, CRI LinuxContainerResources.
struct Resources {
    std::optional<uint64_t> cpu_shares;      // v1 cpu.shares 2..262144; v2 converted to cpu.weight
    std::optional<int64_t> cpu_quota_us;     // per period; -1 = no limit
    std::optional<uint64_t> cpu_period_us;   // default 100000
    std::optional<std::string> cpuset_cpus;  // list format "0-3,7"
    std::optional<std::string> cpuset_mems;
    std::optional<int64_t> memory_limit;         // bytes; -1 = no limit
    std::optional<int64_t> memory_swap_limit;    // memory + swap in bytes (v1 memsw); -1 = no limit
    std::optional<int64_t> pids_limit;           // -1 = no limit
    std::map<std::string, uint64_t> hugepages;   // page size as in the file name ("2MB") -> bytes
    std::map<std::string, std::string> unified;  // v2 only: file -> content, written as given
    std::vector<DeviceRule> devices;             // empty = leave as it is
    bool operator==(const Resources&) const = default;
};

// cpu.shares -> cpu.weight: weight = 10^((log2(s)^2 + 125*log2(s))/612 - 7/34), 1..10000 (runc, crun since
// 2025).
uint64_t weight_from_shares(uint64_t shares);

}  // namespace orlop::cgroups
