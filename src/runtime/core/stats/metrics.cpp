#include "runtime/core/stats/metrics.h"

#include <initializer_list>

namespace orlop::core {

namespace {

using cgroups::kNoLimit;

constexpr uint64_t kSecond = 1'000'000'000;  // ns

enum class Of { Container, Pod };

struct Row {
    const char* name;  // without "container_"
    const char* help;
    cri::MetricType type;
    Of of;
    std::initializer_list<const char*> labels;  // after the common ones
};

// The common labels, in the order of common_values().
constexpr const char* kCommon[] = {"container", "id", "image", "name", "namespace", "pod"};

const Row kRows[] = {
    {"blkio_device_usage_total",
     "Blkio device bytes usage",
     cri::COUNTER,
     Of::Container,
     {"device", "major", "minor", "operation"}},
    {"cpu_cfs_periods_total",
     "Number of elapsed enforcement period intervals",
     cri::COUNTER,
     Of::Container,
     {}},
    {"cpu_cfs_throttled_periods_total",
     "Number of throttled period intervals",
     cri::COUNTER,
     Of::Container,
     {}},
    {"cpu_cfs_throttled_seconds_total",
     "Total time of throttling, in seconds",
     cri::COUNTER,
     Of::Container,
     {}},
    {"cpu_system_seconds_total", "System CPU time, in seconds", cri::COUNTER, Of::Container, {}},
    {"cpu_usage_seconds_total", "CPU time, in seconds", cri::COUNTER, Of::Container, {"cpu"}},
    {"cpu_user_seconds_total", "User CPU time, in seconds", cri::COUNTER, Of::Container, {}},
    {"file_descriptors", "Open file descriptors", cri::GAUGE, Of::Container, {}},
    {"fs_inodes_free", "Free inodes of the filesystem", cri::GAUGE, Of::Container, {"device"}},
    {"fs_inodes_total", "Inodes of the filesystem", cri::GAUGE, Of::Container, {"device"}},
    {"fs_limit_bytes", "Bytes that the filesystem can hold", cri::GAUGE, Of::Container, {"device"}},
    {"fs_reads_bytes_total", "Bytes read", cri::COUNTER, Of::Container, {"device"}},
    {"fs_reads_total", "Reads completed", cri::COUNTER, Of::Container, {"device"}},
    {"fs_usage_bytes", "Bytes of the writable layer", cri::GAUGE, Of::Container, {"device"}},
    {"fs_writes_bytes_total", "Bytes written", cri::COUNTER, Of::Container, {"device"}},
    {"fs_writes_total", "Writes completed", cri::COUNTER, Of::Container, {"device"}},
    {"hugetlb_max_usage_bytes", "Highest use of huge pages so far", cri::GAUGE, Of::Container, {"pagesize"}},
    {"hugetlb_usage_bytes", "Huge pages in use", cri::GAUGE, Of::Container, {"pagesize"}},
    {"last_seen",
     "When the container was last seen by the runtime, in seconds since the epoch",
     cri::GAUGE,
     Of::Container,
     {}},
    {"memory_cache", "Page cache, in bytes", cri::GAUGE, Of::Container, {}},
    {"memory_failcnt", "How often the memory limit was hit", cri::COUNTER, Of::Container, {}},
    {"memory_failures_total", "Page faults", cri::COUNTER, Of::Container, {"failure_type", "scope"}},
    {"memory_kernel_usage", "Kernel memory, in bytes", cri::GAUGE, Of::Container, {}},
    {"memory_mapped_file", "Memory-mapped files, in bytes", cri::GAUGE, Of::Container, {}},
    {"memory_max_usage_bytes", "Highest memory usage so far", cri::GAUGE, Of::Container, {}},
    {"memory_rss", "Anonymous memory, in bytes", cri::GAUGE, Of::Container, {}},
    {"memory_swap", "Swap in use, in bytes", cri::GAUGE, Of::Container, {}},
    {"memory_usage_bytes", "Memory usage, all of it", cri::GAUGE, Of::Container, {}},
    {"memory_working_set_bytes",
     "Memory usage without the inactive page cache",
     cri::GAUGE,
     Of::Container,
     {}},
    {"network_receive_bytes_total", "Bytes received", cri::COUNTER, Of::Pod, {"interface"}},
    {"network_receive_errors_total", "Errors while receiving", cri::COUNTER, Of::Pod, {"interface"}},
    {"network_receive_packets_dropped_total",
     "Packets dropped while receiving",
     cri::COUNTER,
     Of::Pod,
     {"interface"}},
    {"network_receive_packets_total", "Packets received", cri::COUNTER, Of::Pod, {"interface"}},
    {"network_transmit_bytes_total", "Bytes transmitted", cri::COUNTER, Of::Pod, {"interface"}},
    {"network_transmit_errors_total", "Errors while transmitting", cri::COUNTER, Of::Pod, {"interface"}},
    {"network_transmit_packets_dropped_total",
     "Packets dropped while transmitting",
     cri::COUNTER,
     Of::Pod,
     {"interface"}},
    {"network_transmit_packets_total", "Packets transmitted", cri::COUNTER, Of::Pod, {"interface"}},
    {"oom_events_total",
     "Processes that the kernel killed for want of memory",
     cri::COUNTER,
     Of::Container,
     {}},
    {"pressure_cpu_stalled_seconds_total",
     "Time in which no task had a CPU",
     cri::COUNTER,
     Of::Container,
     {}},
    {"pressure_cpu_waiting_seconds_total",
     "Time in which some task waited for a CPU",
     cri::COUNTER,
     Of::Container,
     {}},
    {"pressure_io_stalled_seconds_total",
     "Time in which all tasks waited for I/O",
     cri::COUNTER,
     Of::Container,
     {}},
    {"pressure_io_waiting_seconds_total",
     "Time in which some task waited for I/O",
     cri::COUNTER,
     Of::Container,
     {}},
    {"pressure_memory_stalled_seconds_total",
     "Time in which all tasks waited for memory",
     cri::COUNTER,
     Of::Container,
     {}},
    {"pressure_memory_waiting_seconds_total",
     "Time in which some task waited for memory",
     cri::COUNTER,
     Of::Container,
     {}},
    {"processes", "Processes", cri::GAUGE, Of::Container, {}},
    {"sockets", "Open sockets", cri::GAUGE, Of::Container, {}},
    {"spec_cpu_period", "CPU period, in microseconds", cri::GAUGE, Of::Container, {}},
    {"spec_cpu_quota", "CPU quota, in microseconds", cri::GAUGE, Of::Container, {}},
    {"spec_cpu_shares", "CPU shares", cri::GAUGE, Of::Container, {}},
    {"spec_memory_limit_bytes", "Memory limit; 0 = none", cri::GAUGE, Of::Container, {}},
    {"spec_memory_reservation_limit_bytes", "Memory reservation; 0 = none", cri::GAUGE, Of::Container, {}},
    {"spec_memory_swap_limit_bytes", "Limit of memory and swap; 0 = none", cri::GAUGE, Of::Container, {}},
    {"start_time_seconds",
     "When the container was started, in seconds since the epoch",
     cri::GAUGE,
     Of::Container,
     {}},
    {"threads", "Threads", cri::GAUGE, Of::Container, {}},
    {"threads_max", "Threads that there may be; 0 = no limit", cri::GAUGE, Of::Container, {}},
    {"ulimits_soft", "Soft limits of the first process", cri::GAUGE, Of::Container, {"ulimit"}},
};

const Row& row_of(std::string_view name) {
    return *std::find_if(std::begin(kRows), std::end(kRows),
                         [&](const Row& row) { return row.name == name; });
}

// Writes metrics of one container or pod.
class Writer {
  public:
    Writer(std::vector<std::string> common, int64_t at) : common_(std::move(common)), at_(at) {}
    void add(std::string_view name, uint64_t value, std::vector<std::string> labels = {}) {
        cri::Metric& metric = metrics_.emplace_back();
        metric.set_name("container_" + std::string(name));
        metric.set_timestamp(at_);
        metric.set_metric_type(row_of(name).type);
        for (const std::string& label : common_) metric.add_label_values(label);
        for (std::string& label : labels) metric.add_label_values(std::move(label));
        metric.mutable_value()->set_value(value);
    }
    std::vector<cri::Metric> take() { return std::move(metrics_); }

  private:
    std::vector<std::string> common_;
    int64_t at_;
    std::vector<cri::Metric> metrics_;
};

std::string device_name(const cgroups::IoEntry& entry) {
    return std::to_string(entry.major) + ":" + std::to_string(entry.minor);
}

uint64_t counter(const cgroups::Counters& counters, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (const auto at = counters.find(name); at != counters.end()) return at->second;
    }
    return 0;
}

void add_cpu(Writer& out, const cgroups::CpuStats& cpu) {
    out.add("cpu_usage_seconds_total", cpu.total_ns / kSecond, {"total"});
    out.add("cpu_user_seconds_total", cpu.user_ns / kSecond);
    out.add("cpu_system_seconds_total", cpu.system_ns / kSecond);
    out.add("cpu_cfs_periods_total", cpu.periods);
    out.add("cpu_cfs_throttled_periods_total", cpu.throttled_periods);
    out.add("cpu_cfs_throttled_seconds_total", cpu.throttled_ns / kSecond);
}

void add_memory(Writer& out, const cgroups::MemoryStats& m) {
    out.add("memory_cache", m.cache);
    out.add("memory_rss", m.rss);
    out.add("memory_usage_bytes", m.memory.usage);
    out.add("memory_working_set_bytes", m.working_set);
    out.add("memory_max_usage_bytes", m.memory.max);
    out.add("memory_failcnt", m.memory.failures);
    out.add("memory_kernel_usage", m.kernel ? m.kernel->usage : counter(m.raw, {"kernel"}));
    out.add("memory_mapped_file", counter(m.raw, {"total_mapped_file", "mapped_file", "file_mapped"}));
    out.add("memory_swap", m.kernel ? counter(m.raw, {"total_swap", "swap"}) : m.swap.usage);
    out.add("memory_failures_total", counter(m.raw, {"pgfault"}), {"pgfault", "container"});
    out.add("memory_failures_total", counter(m.raw, {"pgmajfault"}), {"pgmajfault", "container"});
    out.add("memory_failures_total", counter(m.raw, {"total_pgfault", "pgfault"}), {"pgfault", "hierarchy"});
    out.add("memory_failures_total", counter(m.raw, {"total_pgmajfault", "pgmajfault"}),
            {"pgmajfault", "hierarchy"});
    out.add("oom_events_total", m.oom_kills);
}

void add_io(Writer& out, const cgroups::IoStats& io) {
    for (const cgroups::IoEntry& e : io.bytes) {
        out.add("blkio_device_usage_total", e.value,
                {device_name(e), std::to_string(e.major), std::to_string(e.minor), e.op});
        if (e.op == "Read") out.add("fs_reads_bytes_total", e.value, {device_name(e)});
        if (e.op == "Write") out.add("fs_writes_bytes_total", e.value, {device_name(e)});
    }
    for (const cgroups::IoEntry& e : io.operations) {
        if (e.op == "Read") out.add("fs_reads_total", e.value, {device_name(e)});
        if (e.op == "Write") out.add("fs_writes_total", e.value, {device_name(e)});
    }
}

void add_pressure(Writer& out, const std::string& what,
                  const std::optional<cgroups::PressureStats>& pressure) {
    if (!pressure) return;
    out.add("pressure_" + what + "_waiting_seconds_total", pressure->some.total_us / 1'000'000);
    out.add("pressure_" + what + "_stalled_seconds_total", pressure->full.total_us / 1'000'000);
}

void add_disk(Writer& out, const Disk& disk) {
    out.add("fs_usage_bytes", disk.usage.bytes, {disk.mountpoint});
    out.add("fs_limit_bytes", disk.total_bytes, {disk.mountpoint});
    out.add("fs_inodes_total", disk.total_inodes, {disk.mountpoint});
    out.add("fs_inodes_free", disk.free_inodes, {disk.mountpoint});
}

void add_spec(Writer& out, const ContainerRecord& container, const Reading& reading) {
    const auto at_least_0 = [](int64_t value) { return static_cast<uint64_t>(std::max<int64_t>(value, 0)); };
    const auto& wanted = container.config.linux().resources();
    out.add("spec_cpu_period", at_least_0(wanted.cpu_period()));
    out.add("spec_cpu_quota", at_least_0(wanted.cpu_quota()));
    out.add("spec_cpu_shares", at_least_0(wanted.cpu_shares()));
    out.add("spec_memory_limit_bytes", at_least_0(wanted.memory_limit_in_bytes()));
    out.add("spec_memory_swap_limit_bytes", at_least_0(wanted.memory_swap_limit_in_bytes()));
    const auto low = wanted.unified().find("memory.low");
    out.add("spec_memory_reservation_limit_bytes",
            low == wanted.unified().end() ? 0 : std::strtoull(low->second.c_str(), nullptr, 10));
    out.add("start_time_seconds", at_least_0(container.started_at) / kSecond);
    out.add("last_seen", static_cast<uint64_t>(reading.at) / kSecond);
}

}  // namespace

std::vector<cri::MetricDescriptor> metric_descriptors() {
    std::vector<cri::MetricDescriptor> all;
    for (const Row& row : kRows) {
        cri::MetricDescriptor& one = all.emplace_back();
        one.set_name("container_" + std::string(row.name));
        one.set_help(row.help);
        for (const char* label : kCommon) one.add_label_keys(label);
        for (const char* label : row.labels) one.add_label_keys(label);
    }
    return all;
}

std::vector<cri::Metric> container_metrics(const ContainerFacts& facts) {
    const ContainerRecord& c = facts.container;
    const auto& pod = facts.sandbox.config.metadata();
    Writer out({c.config.metadata().name(), c.id, c.config.image().image(), c.config.metadata().name(),
                pod.namespace_(), pod.name()},
               facts.reading.at);
    add_spec(out, c, facts.reading);
    if (facts.disk) add_disk(out, *facts.disk);
    if (!facts.reading.stats) return out.take();
    const cgroups::Stats& stats = *facts.reading.stats;
    add_cpu(out, stats.cpu);
    add_memory(out, stats.memory);
    add_io(out, stats.io);
    add_pressure(out, "cpu", stats.cpu_pressure);
    add_pressure(out, "io", stats.io_pressure);
    add_pressure(out, "memory", stats.memory_pressure);
    for (const auto& [size, usage] : stats.hugepages) {
        out.add("hugetlb_usage_bytes", usage.usage, {size});
        out.add("hugetlb_max_usage_bytes", usage.max, {size});
    }
    out.add("processes", facts.processes.processes);
    out.add("threads", facts.processes.threads);
    out.add("threads_max", stats.pids_limit == kNoLimit ? 0 : stats.pids_limit);
    out.add("file_descriptors", facts.processes.descriptors);
    out.add("sockets", facts.processes.sockets);
    out.add("ulimits_soft", facts.processes.soft_open_files, {"max_open_files"});
    return out.take();
}

std::vector<cri::Metric> pod_metrics(const PodFacts& facts) {
    const auto& pod = facts.sandbox.config.metadata();
    Writer out({"", facts.sandbox.id, "", "", pod.namespace_(), pod.name()}, facts.at);
    for (const InterfaceCounters& i : facts.interfaces) {
        out.add("network_receive_bytes_total", i.rx_bytes, {i.name});
        out.add("network_receive_errors_total", i.rx_errors, {i.name});
        out.add("network_receive_packets_dropped_total", i.rx_dropped, {i.name});
        out.add("network_receive_packets_total", i.rx_packets, {i.name});
        out.add("network_transmit_bytes_total", i.tx_bytes, {i.name});
        out.add("network_transmit_errors_total", i.tx_errors, {i.name});
        out.add("network_transmit_packets_dropped_total", i.tx_dropped, {i.name});
        out.add("network_transmit_packets_total", i.tx_packets, {i.name});
    }
    return out.take();
}

}  // namespace orlop::core
