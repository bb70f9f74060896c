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

// One device of the blkio/io controller.
struct IoDevice {
    int64_t major = 0, minor = 0;
    std::optional<uint16_t> weight, leaf_weight;  // 10..1000
    std::optional<uint64_t> read_bps, write_bps, read_iops, write_iops;
    bool operator==(const IoDevice&) const = default;
};

// rdma.max of one HCA.
struct Rdma {
    std::optional<uint32_t> handles, objects;
    bool operator==(const Rdma&) const = default;
};

// Unset = leave as it is. Sources: OCI runtime-spec config-linux.md, CRI LinuxContainerResources.
struct Resources {
    std::optional<uint64_t> cpu_shares;      // v1 cpu.shares 2..262144; v2 converted to cpu.weight
    std::optional<int64_t> cpu_quota_us;     // per period; -1 = no limit
    std::optional<uint64_t> cpu_period_us;   // default 100000
    std::optional<std::string> cpuset_cpus;  // list format "0-3,7"
    std::optional<std::string> cpuset_mems;
    std::optional<int64_t> memory_limit;                // bytes; -1 = no limit
    std::optional<int64_t> memory_swap_limit;           // memory + swap in bytes (v1 memsw); -1 = no limit
    std::optional<uint64_t> cpu_burst_us;               // cpu.cfs_burst_us, cpu.max.burst
    std::optional<int64_t> cpu_idle;                    // cpu.idle: 1 = SCHED_IDLE
    std::optional<int64_t> rt_runtime_us;               // v1 only
    std::optional<uint64_t> rt_period_us;               // v1 only
    std::optional<int64_t> memory_reservation;          // bytes: soft_limit_in_bytes, memory.low
    std::optional<uint64_t> memory_swappiness;          // v1 only (an error on v2, 0 too); 0..100
    std::optional<bool> disable_oom_killer;             // v1 only
    std::optional<uint16_t> io_weight, io_leaf_weight;  // 10..1000
    std::vector<IoDevice> io_devices;
    std::map<std::string, Rdma> rdma;              // HCA name -> limits
    std::optional<uint32_t> net_class;             // v1 net_cls.classid
    std::map<std::string, uint32_t> net_priority;  // v1 net_prio.ifpriomap
    std::optional<int64_t> pids_limit;             // -1 = no limit
    std::map<std::string, uint64_t> hugepages;     // page size as in the file name ("2MB") -> bytes
    std::map<std::string, std::string> unified;    // v2 only: file -> content, written as given
    std::vector<DeviceRule> devices;               // empty = leave as it is
    bool operator==(const Resources&) const = default;
};

// cpu.shares -> cpu.weight: weight = 10^((log2(s)^2 + 125*log2(s))/612 - 7/34), 1..10000 (runc, crun since
// 2025).
uint64_t weight_from_shares(uint64_t shares);
// blkio.weight 10..1000 -> io.weight 1..10000: 1 + (x - 10) * 9999 / 990.
uint64_t io_weight_from_blkio(uint16_t weight);

}  // namespace orlop::cgroups
