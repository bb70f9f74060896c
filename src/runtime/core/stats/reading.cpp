#include "runtime/core/stats/reading.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <sstream>

#include "base/dir.h"
#include "runtime/core/cri/image_service.h"
#include "runtime/core/cri/tear_down.h"

namespace orlop::core {

namespace {

namespace fs = std::filesystem;

Reading read(Parts& parts, Sampler& sampler, const std::string& id, const cgroups::Cgroup& cgroup) {
    Reading reading{.at = parts.clock.wall().count(), .stats = {}, .nano_cores = {}};
    // It may end between the list and the look: then there is nothing to tell.
    auto stats = cgroups::read_stats(cgroup);
    if (!stats) return reading;
    reading.nano_cores = sampler.nano_cores(id, stats->cpu.total_ns);
    reading.stats = std::move(*stats);
    return reading;
}

uint64_t field(const std::string& text, const std::string& key) {
    const size_t at = text.find("\n" + key);
    if (at == std::string::npos) return 0;
    std::istringstream rest(text.substr(at + 1 + key.size()));
    uint64_t value = 0;
    rest >> value;
    return value;
}

void count_descriptors(const std::string& proc, Processes& all) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(proc + "/fd", error)) {
        ++all.descriptors;
        const std::string target = fs::read_symlink(entry.path(), error).string();
        if (target.starts_with("socket:")) ++all.sockets;
    }
}

}  // namespace

Reading read_container(Parts& parts, Sampler& sampler, const ContainerRecord& container) {
    const auto sandbox = parts.state.sandboxes->get(container.sandbox);
    if (!sandbox || sandbox->cgroup_path.empty() || container.phase != ContainerPhase::Running)
        return {.at = parts.clock.wall().count(), .stats = {}, .nano_cores = {}};
    return read(parts, sampler, container.id, parts.cgroup_of(*sandbox, container.id));
}

Reading read_pod(Parts& parts, Sampler& sampler, const SandboxRecord& sandbox) {
    if (sandbox.cgroup_path.empty() || sandbox.phase != SandboxPhase::Ready)
        return {.at = parts.clock.wall().count(), .stats = {}, .nano_cores = {}};
    return read(parts, sampler, sandbox.id, parts.cgroup_of(sandbox));
}

std::optional<Disk> read_disk(Parts& parts, Sampler& sampler, const ContainerRecord& container) {
    const std::string upper = parts.paths.container(container.id) + "/upper";
    const auto usage = sampler.disk(container.id, [&] { return disk_usage(upper); });
    if (!usage) return std::nullopt;
    Disk disk{.mountpoint = parts.paths.containers(), .usage = *usage};
    struct statvfs filesystem {};
    if (statvfs(upper.c_str(), &filesystem) == 0) {
        disk.total_bytes = filesystem.f_blocks * filesystem.f_frsize;
        disk.total_inodes = filesystem.f_files;
        disk.free_inodes = filesystem.f_ffree;
    }
    return disk;
}

Processes read_processes(Parts& parts, const ContainerRecord& container) {
    Processes all;
    const auto sandbox = parts.state.sandboxes->get(container.sandbox);
    if (!sandbox || sandbox->cgroup_path.empty()) return all;
    const auto pids = parts.cgroup_of(*sandbox, container.id).processes_recursive();
    if (!pids) return all;
    for (const pid_t pid : *pids) {
        const std::string proc = "/proc/" + std::to_string(pid);
        const std::string status = read_file(proc + "/status").value_or("");
        if (status.empty()) continue;
        ++all.processes;
        all.threads += field(status, "Threads:");
        count_descriptors(proc, all);
    }
    const std::string limits = read_file("/proc/" + std::to_string(container.pid) + "/limits").value_or("");
    all.soft_open_files = field(limits, "Max open files");
    return all;
}

std::vector<InterfaceCounters> read_interfaces(const SandboxRecord& sandbox) {
    if (sandbox.phase != SandboxPhase::Ready || host_network(sandbox.config) || sandbox.pause_pid <= 0)
        return {};
    return parse_interfaces(
        read_file("/proc/" + std::to_string(sandbox.pause_pid) + "/net/dev").value_or(""));
}

}  // namespace orlop::core
