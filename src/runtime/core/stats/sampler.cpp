#include "runtime/core/stats/sampler.h"

namespace orlop::core {

std::optional<uint64_t> Sampler::nano_cores(const std::string& id, uint64_t total_ns) {
    const Nanos now = clock_.monotonic();
    std::lock_guard lock(mutex_);
    const auto [at, first] = cpu_.try_emplace(id, Cpu{now, total_ns, std::nullopt});
    Cpu& last = at->second;
    if (first) return std::nullopt;
    const Nanos passed = now - last.at;
    if (passed < kLeast) return last.rate;
    // A restarted cgroup counts from zero.
    const uint64_t used = total_ns >= last.total_ns ? total_ns - last.total_ns : total_ns;
    const double rate = static_cast<double>(used) * 1e9 / static_cast<double>(passed.count());
    last = Cpu{now, total_ns, static_cast<uint64_t>(rate)};
    return last.rate;
}

Result<images::DiskUsage> Sampler::disk(const std::string& id,
                                        const std::function<Result<images::DiskUsage>()>& count) {
    const Nanos now = clock_.monotonic();
    {
        std::lock_guard lock(mutex_);
        const auto at = disk_.find(id);
        if (at != disk_.end() && now - at->second.at < disk_age_) return at->second.usage;
    }
    const images::DiskUsage usage = TRY(count());
    std::lock_guard lock(mutex_);
    disk_[id] = Disk{now, usage};
    return usage;
}

void Sampler::retain(const std::function<bool(const std::string&)>& alive) {
    std::lock_guard lock(mutex_);
    std::erase_if(cpu_, [&](const auto& entry) { return !alive(entry.first); });
    std::erase_if(disk_, [&](const auto& entry) { return !alive(entry.first); });
}

}  // namespace orlop::core
