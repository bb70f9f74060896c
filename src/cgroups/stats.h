// What a cgroup has used, as the kernel counts it (kernel: admin-guide/cgroup-v1, admin-guide/cgroup-v2).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cgroups/cgroup.h"

namespace orlop::cgroups {

// Numbers by name, sorted: memory.stat, cpu.stat, ...
using Counters = std::map<std::string, uint64_t>;

inline constexpr uint64_t kNoLimit = UINT64_MAX;

struct CpuStats {
    uint64_t total_ns = 0, user_ns = 0, system_ns = 0;
    std::vector<uint64_t> per_cpu_ns;  // v1 only
    uint64_t periods = 0, throttled_periods = 0, throttled_ns = 0;
    uint64_t bursts = 0, burst_ns = 0;
};

struct Usage {
    uint64_t usage = 0;  // bytes
    uint64_t max = 0;    // the highest usage so far; 0 when the kernel does not say (v2 before 5.19)
    uint64_t limit = kNoLimit;
    uint64_t failures = 0;  // how often the limit was hit
};

struct MemoryStats {
    Usage memory;
    Usage swap;                               // v1: memory and swap together; v2: swap alone
    std::optional<Usage> kernel, kernel_tcp;  // v1 only
    uint64_t cache = 0;                       // bytes of the page cache
    uint64_t rss = 0;                         // anonymous bytes
    uint64_t working_set = 0;                 // usage without the inactive part of the cache
    Counters raw;                             // memory.stat
    Counters events;                          // v2: memory.events
    uint64_t oom_kills = 0;
};

// One line of blkio.* or one number of io.stat; `op` is "Read", "Write", "Discard", "Sync", "Async" or
// "Total".
struct IoEntry {
    uint64_t major = 0, minor = 0;
    std::string op;
    uint64_t value = 0;
    bool operator==(const IoEntry&) const = default;
};
struct IoStats {
    std::vector<IoEntry> bytes;  // v1: the recursive files, of the throttling layer or else of BFQ
    std::vector<IoEntry> operations;
};

// One line of *.pressure: percent of time over 10, 60 and 300 s, and microseconds.
struct Pressure {
    double avg10 = 0, avg60 = 0, avg300 = 0;
    uint64_t total_us = 0;
};
struct PressureStats {
    Pressure some, full;
};

struct RdmaUse {
    uint64_t handles = 0, objects = 0;
};

struct Stats {
    CpuStats cpu;
    MemoryStats memory;
    uint64_t pids = 0;
    uint64_t pids_limit = kNoLimit;
    IoStats io;
    std::map<std::string, Usage> hugepages;           // by page size ("2MB")
    std::map<std::string, RdmaUse> rdma, rdma_limit;  // by HCA; a limit of "max" is UINT64_MAX
    std::optional<PressureStats> cpu_pressure, memory_pressure, io_pressure;  // where the kernel has PSI
};

// What a host does not count (a controller is missing, a kernel too old) stays as it is above; an error only
// when the cgroup is not there.
Result<Stats> read_stats(const Cgroup& cgroup);

// Pure; lines that are not understood are skipped, "max" is UINT64_MAX.
Counters parse_counters(std::string_view text);  // "key value" lines
std::vector<IoEntry> parse_blkio(
    std::string_view text);                    // "8:0 Read 1"; the last line, "Total 1", is not taken
IoStats parse_io_stat(std::string_view text);  // "8:0 rbytes=1 wbytes=2 rios=3 ..."
std::map<std::string, RdmaUse> parse_rdma(std::string_view text);  // "mlx4_0 hca_handle=2 hca_object=max"
PressureStats parse_pressure(std::string_view text);  // "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
std::vector<uint64_t> parse_numbers(std::string_view text);  // "1 2 3"

}  // namespace orlop::cgroups
