#include "cgroups/stats.h"

#include <dirent.h>

#include <algorithm>
#include <memory>

#include "base/dir.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

constexpr uint64_t kNsPerTick = 10'000'000;  // USER_HZ is 100 on every architecture we build for
// v1 says "no limit" as the largest page-aligned number.
constexpr uint64_t kV1NoLimit = uint64_t{1} << 62;

// A controller's files, all empty where the host does not have it.
struct Files {
    std::string dir;

    std::string text(const std::string& name) const {
        return dir.empty() ? "" : read_file(dir + "/" + name).value_or("");
    }
    uint64_t number(const std::string& name, uint64_t missing = 0) const {
        return dir.empty() ? missing : read_number(dir + "/" + name).value_or(missing);
    }
    Counters counters(const std::string& name) const { return parse_counters(text(name)); }
};

Files files_of(const Cgroup& cgroup, const std::string& controller) {
    return {cgroup.directory_of(controller).value_or("")};
}

uint64_t at(const Counters& counters, const std::string& key) {
    const auto found = counters.find(key);
    return found == counters.end() ? 0 : found->second;
}

CpuStats cpu_v1(const Cgroup& cgroup) {
    CpuStats out;
    const Files account = files_of(cgroup, "cpuacct");
    out.total_ns = account.number("cpuacct.usage");
    out.per_cpu_ns = parse_numbers(account.text("cpuacct.usage_percpu"));
    // Exact since 4.7, in ticks before.
    const Counters ticks = account.counters("cpuacct.stat");
    out.user_ns = account.number("cpuacct.usage_user", at(ticks, "user") * kNsPerTick);
    out.system_ns = account.number("cpuacct.usage_sys", at(ticks, "system") * kNsPerTick);
    const Counters stat = files_of(cgroup, "cpu").counters("cpu.stat");
    out.periods = at(stat, "nr_periods");
    out.throttled_periods = at(stat, "nr_throttled");
    out.throttled_ns = at(stat, "throttled_time");
    out.bursts = at(stat, "nr_bursts");
    out.burst_ns = at(stat, "burst_time");
    return out;
}

CpuStats cpu_v2(const Cgroup& cgroup) {
    CpuStats out;
    const Counters stat = files_of(cgroup, "cpu").counters("cpu.stat");
    out.total_ns = at(stat, "usage_usec") * 1000;
    out.user_ns = at(stat, "user_usec") * 1000;
    out.system_ns = at(stat, "system_usec") * 1000;
    out.periods = at(stat, "nr_periods");
    out.throttled_periods = at(stat, "nr_throttled");
    out.throttled_ns = at(stat, "throttled_usec") * 1000;
    out.bursts = at(stat, "nr_bursts");
    out.burst_ns = at(stat, "burst_usec") * 1000;
    return out;
}

Usage usage_v1(const Files& files, const std::string& prefix) {
    const uint64_t limit = files.number(prefix + ".limit_in_bytes", kNoLimit);
    return {.usage = files.number(prefix + ".usage_in_bytes"),
            .max = files.number(prefix + ".max_usage_in_bytes"),
            .limit = limit >= kV1NoLimit ? kNoLimit : limit,
            .failures = files.number(prefix + ".failcnt")};
}

Usage usage_v2(const Files& files, const std::string& prefix, const std::string& counted_by) {
    return {.usage = files.number(prefix + ".current"),
            .max = files.number(prefix + ".peak"),
            .limit = files.number(prefix + ".max", kNoLimit),
            .failures = at(files.counters(counted_by), "max")};
}

MemoryStats memory(const Cgroup& cgroup, bool v1) {
    MemoryStats out;
    const Files files = files_of(cgroup, "memory");
    out.memory = v1 ? usage_v1(files, "memory") : usage_v2(files, "memory", "memory.events");
    out.swap = v1 ? usage_v1(files, "memory.memsw") : usage_v2(files, "memory.swap", "memory.swap.events");
    if (v1) {
        out.kernel = usage_v1(files, "memory.kmem");
        out.kernel_tcp = usage_v1(files, "memory.kmem.tcp");
    } else {
        out.events = files.counters("memory.events");
    }
    out.raw = files.counters("memory.stat");
    out.cache = at(out.raw, v1 ? "total_cache" : "file");
    out.rss = at(out.raw, v1 ? "total_rss" : "anon");
    const uint64_t inactive = at(out.raw, v1 ? "total_inactive_file" : "inactive_file");
    out.working_set = out.memory.usage > inactive ? out.memory.usage - inactive : 0;
    out.oom_kills = v1 ? at(files.counters("memory.oom_control"), "oom_kill") : at(out.events, "oom_kill");
    return out;
}

IoStats io(const Cgroup& cgroup, bool v1) {
    if (!v1) return parse_io_stat(files_of(cgroup, "io").text("io.stat"));
    const Files files = files_of(cgroup, "blkio");
    IoStats out;
    // With BFQ as scheduler its own count is the complete one; without it only the throttling layer counts.
    for (const char* layer : {"bfq.", "throttle.", ""}) {
        if (!out.bytes.empty() || !out.operations.empty()) break;
        const std::string prefix = std::string("blkio.") + layer;
        out.bytes = parse_blkio(files.text(prefix + "io_service_bytes_recursive"));
        out.operations = parse_blkio(files.text(prefix + "io_serviced_recursive"));
    }
    return out;
}

// "2MB" of "hugetlb.2MB.usage_in_bytes" or "hugetlb.2MB.current".
std::vector<std::string> page_sizes(const std::string& dir, const std::string& suffix) {
    std::vector<std::string> out;
    if (dir.empty()) return out;
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(dir.c_str()), closedir);
    while (const dirent* entry = opened ? readdir(opened.get()) : nullptr) {
        std::string_view name = entry->d_name;
        constexpr std::string_view kPrefix = "hugetlb.";
        if (!name.starts_with(kPrefix) || !name.ends_with(suffix) ||
            name.size() <= kPrefix.size() + suffix.size())
            continue;
        name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - suffix.size());
        // "2MB.rsvd" counts reservations.
        if (name.find('.') == std::string_view::npos) out.emplace_back(name);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::map<std::string, Usage> hugepages(const Cgroup& cgroup) {
    std::map<std::string, Usage> out;
    const bool v1 = cgroup.hierarchies().v1.contains("hugetlb");
    const Files files = files_of(cgroup, "hugetlb");
    for (const std::string& size : page_sizes(files.dir, v1 ? ".usage_in_bytes" : ".current")) {
        const std::string prefix = "hugetlb." + size;
        out[size] = v1 ? usage_v1(files, prefix) : usage_v2(files, prefix, prefix + ".events");
    }
    return out;
}

std::optional<PressureStats> pressure(const std::string& v2_dir, const char* name) {
    if (v2_dir.empty()) return std::nullopt;
    // Not there, or EOPNOTSUPP: PSI is off (psi=0).
    const auto text = read_file(v2_dir + "/" + name);
    if (!text) return std::nullopt;
    return parse_pressure(*text);
}

}  // namespace

Result<Stats> read_stats(const Cgroup& cgroup) {
    const Hierarchies& h = cgroup.hierarchies();
    const bool v1 = h.version == Version::V1;
    const std::vector<std::string> dirs = cgroup.directories();
    if (dirs.empty() || !file_exists(dirs.back()))
        return Error::not_found("cgroup " + cgroup.path() + " does not exist");
    Stats out;
    out.cpu = v1 ? cpu_v1(cgroup) : cpu_v2(cgroup);
    out.memory = memory(cgroup, v1);
    const Files pids = files_of(cgroup, "pids");
    out.pids = pids.number("pids.current");
    out.pids_limit = pids.number("pids.max", kNoLimit);
    out.io = io(cgroup, v1);
    out.hugepages = hugepages(cgroup);
    const Files rdma = files_of(cgroup, "rdma");
    out.rdma = parse_rdma(rdma.text("rdma.current"));
    out.rdma_limit = parse_rdma(rdma.text("rdma.max"));
    const std::string v2_dir =
        v1 ? (h.hybrid_v2.empty() ? "" : h.hybrid_v2 + cgroup.path()) : h.root + cgroup.path();
    out.cpu_pressure = pressure(v2_dir, "cpu.pressure");
    out.memory_pressure = pressure(v2_dir, "memory.pressure");
    out.io_pressure = pressure(v2_dir, "io.pressure");
    return out;
}

}  // namespace orlop::cgroups
