#include "runtime/core/stats/messages.h"

#include "runtime/core/cri/views.h"

namespace orlop::core {

namespace {

void put(cri::UInt64Value* into, uint64_t value) {
    into->set_value(value);
}

void put(cri::PsiData* into, const cgroups::Pressure& pressure) {
    into->set_total(pressure.total_us * 1000);
    into->set_avg10(pressure.avg10);
    into->set_avg60(pressure.avg60);
    into->set_avg300(pressure.avg300);
}

void put(cri::PsiStats* into, const cgroups::PressureStats& pressure) {
    put(into->mutable_full(), pressure.full);
    put(into->mutable_some(), pressure.some);
}

uint64_t counter(const cgroups::Counters& counters, const std::string& key) {
    const auto at = counters.find(key);
    return at == counters.end() ? 0 : at->second;
}

void fill(cri::CpuUsage* cpu, const Reading& reading) {
    cpu->set_timestamp(reading.at);
    put(cpu->mutable_usage_core_nano_seconds(), reading.stats->cpu.total_ns);
    put(cpu->mutable_usage_nano_cores(), reading.nano_cores.value_or(0));
    if (reading.stats->cpu_pressure) put(cpu->mutable_psi(), *reading.stats->cpu_pressure);
}

void fill(cri::MemoryUsage* memory, const Reading& reading) {
    const cgroups::MemoryStats& m = reading.stats->memory;
    memory->set_timestamp(reading.at);
    put(memory->mutable_working_set_bytes(), m.working_set);
    if (m.memory.limit != cgroups::kNoLimit)
        put(memory->mutable_available_bytes(), m.memory.limit - std::min(m.memory.limit, m.working_set));
    put(memory->mutable_usage_bytes(), m.memory.usage);
    put(memory->mutable_rss_bytes(), m.rss);
    put(memory->mutable_page_faults(),
        counter(m.raw, m.raw.contains("total_pgfault") ? "total_pgfault" : "pgfault"));
    put(memory->mutable_major_page_faults(),
        counter(m.raw, m.raw.contains("total_pgmajfault") ? "total_pgmajfault" : "pgmajfault"));
    if (reading.stats->memory_pressure) put(memory->mutable_psi(), *reading.stats->memory_pressure);
}

// v2 counts swap alone, v1 memory and swap together (memory.memsw); containers of v1 have no limit of their
// own for swap.
void fill(cri::SwapUsage* swap, const Reading& reading) {
    const cgroups::MemoryStats& m = reading.stats->memory;
    const bool together = m.kernel.has_value();
    const uint64_t used =
        together ? counter(m.raw, m.raw.contains("total_swap") ? "total_swap" : "swap") : m.swap.usage;
    swap->set_timestamp(reading.at);
    put(swap->mutable_swap_usage_bytes(), used);
    if (!together && m.swap.limit != cgroups::kNoLimit)
        put(swap->mutable_swap_available_bytes(), m.swap.limit - std::min(m.swap.limit, used));
}

void fill(cri::IoUsage* io, const Reading& reading) {
    io->set_timestamp(reading.at);
    if (reading.stats->io_pressure) put(io->mutable_psi(), *reading.stats->io_pressure);
}

void fill(cri::NetworkInterfaceUsage* usage, const InterfaceCounters& counters) {
    usage->set_name(counters.name);
    put(usage->mutable_rx_bytes(), counters.rx_bytes);
    put(usage->mutable_rx_errors(), counters.rx_errors);
    put(usage->mutable_tx_bytes(), counters.tx_bytes);
    put(usage->mutable_tx_errors(), counters.tx_errors);
}

bool abbreviates(const std::string& prefix, const std::string& id) {
    return prefix.empty() || id.starts_with(prefix);
}

bool has_labels(const Labels& labels, const Labels& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
        const auto at = labels.find(label.first);
        return at != labels.end() && at->second == label.second;
    });
}

}  // namespace

cri::ContainerStats container_stats(const ContainerRecord& container, const Reading& reading,
                                    const std::optional<Disk>& disk) {
    cri::ContainerStats stats;
    auto* attributes = stats.mutable_attributes();
    attributes->set_id(container.id);
    *attributes->mutable_metadata() = container.config.metadata();
    *attributes->mutable_labels() = container.config.labels();
    *attributes->mutable_annotations() = container.config.annotations();
    if (disk) {
        auto* layer = stats.mutable_writable_layer();
        layer->set_timestamp(reading.at);
        layer->mutable_fs_id()->set_mountpoint(disk->mountpoint);
        put(layer->mutable_used_bytes(), disk->usage.bytes);
        put(layer->mutable_inodes_used(), disk->usage.inodes);
    }
    if (!reading.stats) return stats;
    fill(stats.mutable_cpu(), reading);
    fill(stats.mutable_memory(), reading);
    fill(stats.mutable_swap(), reading);
    fill(stats.mutable_io(), reading);
    return stats;
}

cri::PodSandboxStats sandbox_stats(const SandboxRecord& sandbox, const Reading& reading,
                                   const std::vector<InterfaceCounters>& interfaces) {
    cri::PodSandboxStats stats;
    auto* attributes = stats.mutable_attributes();
    attributes->set_id(sandbox.id);
    *attributes->mutable_metadata() = sandbox.config.metadata();
    *attributes->mutable_labels() = sandbox.config.labels();
    *attributes->mutable_annotations() = sandbox.config.annotations();
    auto* all = stats.mutable_linux();
    if (!reading.stats) return stats;
    fill(all->mutable_cpu(), reading);
    fill(all->mutable_memory(), reading);
    fill(all->mutable_io(), reading);
    all->mutable_process()->set_timestamp(reading.at);
    put(all->mutable_process()->mutable_process_count(), reading.stats->pids);
    if (interfaces.empty()) return stats;
    auto* network = all->mutable_network();
    network->set_timestamp(reading.at);
    // The first that CNI has made is the pod's own, "eth0" by the kubelet's convention.
    fill(network->mutable_default_interface(), interfaces.front());
    for (const InterfaceCounters& one : interfaces) fill(network->add_interfaces(), one);
    return stats;
}

bool matches(const cri::ContainerStatsFilter& filter, const ContainerRecord& container) {
    return abbreviates(filter.id(), container.id) &&
           abbreviates(filter.pod_sandbox_id(), container.sandbox) &&
           has_labels(container.config.labels(), filter.label_selector());
}

bool matches(const cri::PodSandboxStatsFilter& filter, const SandboxRecord& sandbox) {
    return abbreviates(filter.id(), sandbox.id) &&
           has_labels(sandbox.config.labels(), filter.label_selector());
}

}  // namespace orlop::core
