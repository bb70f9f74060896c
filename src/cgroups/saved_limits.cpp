#include "cgroups/saved_limits.h"

#include "base/dir.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

// A controller and one of its files.
using Place = std::pair<std::string, std::string>;

void add_v1(const Resources& r, std::vector<Place>& out) {
    if (r.cpu_shares) out.emplace_back("cpu", "cpu.shares");
    if (r.cpu_quota_us || r.cpu_period_us) {
        out.emplace_back("cpu", "cpu.cfs_period_us");
        out.emplace_back("cpu", "cpu.cfs_quota_us");
    }
    if (r.memory_limit || r.memory_swap_limit) {
        out.emplace_back("memory", "memory.limit_in_bytes");
        out.emplace_back("memory", "memory.memsw.limit_in_bytes");
    }
    if (r.memory_reservation) out.emplace_back("memory", "memory.soft_limit_in_bytes");
}

void add_v2(const Resources& r, std::vector<Place>& out) {
    if (r.cpu_shares) out.emplace_back("cpu", "cpu.weight");
    if (r.cpu_quota_us || r.cpu_period_us) out.emplace_back("cpu", "cpu.max");
    if (r.memory_limit || r.memory_swap_limit) {
        out.emplace_back("memory", "memory.max");
        out.emplace_back("memory", "memory.swap.max");
    }
    if (r.memory_reservation) out.emplace_back("memory", "memory.low");
    for (const auto& [file, value] : r.unified) out.emplace_back(file.substr(0, file.find('.')), file);
}

std::vector<Place> places_of(const Resources& r, Version version) {
    std::vector<Place> out;
    if (version == Version::V1) add_v1(r, out);
    if (version == Version::V2) add_v2(r, out);
    if (r.cpuset_cpus) out.emplace_back("cpuset", "cpuset.cpus");
    if (r.cpuset_mems) out.emplace_back("cpuset", "cpuset.mems");
    if (r.pids_limit) out.emplace_back("pids", "pids.max");
    for (const auto& [size, bytes] : r.hugepages) {
        // Beside v1 hierarchies this controller may be on either version.
        for (const char* suffix : {".limit_in_bytes", ".rsvd.limit_in_bytes", ".max", ".rsvd.max"})
            out.emplace_back("hugetlb", "hugetlb." + size + suffix);
    }
    return out;
}

}  // namespace

Result<SavedLimits> save_limits(const Cgroup& cgroup, const Resources& change) {
    SavedLimits saved;
    for (const auto& [controller, file] : places_of(change, cgroup.hierarchies().version)) {
        // What is not there is not written either, or that fails with a better text than ours.
        const auto dir = cgroup.directory_of(controller);
        if (!dir || !file_exists(*dir + "/" + file)) continue;
        saved.emplace_back(*dir + "/" + file, TRY(read_file(*dir + "/" + file)));
    }
    return saved;
}

Status restore_limits(const SavedLimits& saved) {
    std::vector<Write> writes;
    for (const auto& [path, content] : saved) {
        // A line is a value; no line is one too, an empty set of CPUs.
        for (size_t at = 0; at < content.size();) {
            const size_t end = std::min(content.find('\n', at), content.size() - 1) + 1;
            writes.push_back({path, content.substr(at, end - at)});
            at = end;
        }
    }
    return write_in_some_order(std::move(writes));
}

Status apply_or_restore(const Cgroup& cgroup, const Resources& change) {
    const SavedLimits saved = TRY(save_limits(cgroup, change));
    Status applied = cgroup.apply(change);
    if (applied) return applied;
    const Status restored = restore_limits(saved);
    return restored ? std::move(applied) : std::move(applied).error().also(restored.error());
}

}  // namespace orlop::cgroups
