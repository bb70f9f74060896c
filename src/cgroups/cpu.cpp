// kernel: scheduler/sched-bwc, scheduler/sched-rt-group; admin-guide/cgroup-v2, "CPU Interface Files".
#include "base/dir.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

// "No burst" and "not idle" are how kernels without these files behave anyway.
Status write_newer(const std::string& path, uint64_t value, const char* field) {
    if (file_exists(path)) return write_value(path, std::to_string(value));
    if (value == 0) return ok();
    return Error::unimplemented(std::string(field) + ": this kernel has no " + path);
}

Status write_idle(const std::string& dir, const Resources& r) {
    return write_newer(dir + "/cpu.idle", static_cast<uint64_t>(*r.cpu_idle), "cpu.idle");
}

// An idle group takes no weight (EINVAL): it gets one before it becomes idle, or after it was.
Status write_weight(const std::string& dir, const char* file, uint64_t weight, const Resources& r) {
    const bool to_idle = r.cpu_idle && *r.cpu_idle != 0;
    if (r.cpu_idle && !to_idle) TRY(write_idle(dir, r));
    if (r.cpu_shares) {
        auto written = write_value(dir + "/" + file, std::to_string(weight));
        if (!written && !(to_idle && written.error().errnum() == EINVAL)) return written;
    }
    return to_idle ? write_idle(dir, r) : ok();
}

Status add_burst(const std::string& path, const Resources& r, std::vector<Write>& writes) {
    if (!r.cpu_burst_us) return ok();
    if (!file_exists(path)) return write_newer(path, *r.cpu_burst_us, "cpu.burst");
    writes.push_back({path, std::to_string(*r.cpu_burst_us)});
    return ok();
}

Status apply_v1(const std::string& dir, const Resources& r) {
    TRY(write_weight(dir, "cpu.shares", r.cpu_shares.value_or(0), r));
    std::vector<Write> writes;
    if (r.cpu_period_us) writes.push_back({dir + "/cpu.cfs_period_us", std::to_string(*r.cpu_period_us)});
    if (r.cpu_quota_us)
        writes.push_back(
            {dir + "/cpu.cfs_quota_us", std::to_string(*r.cpu_quota_us <= 0 ? -1 : *r.cpu_quota_us)});
    TRY(add_burst(dir + "/cpu.cfs_burst_us", r, writes));
    TRY(write_in_some_order(std::move(writes)));
    if (!r.rt_period_us && !r.rt_runtime_us) return ok();
    std::vector<Write> realtime;
    if (r.rt_period_us) realtime.push_back({dir + "/cpu.rt_period_us", std::to_string(*r.rt_period_us)});
    if (r.rt_runtime_us) realtime.push_back({dir + "/cpu.rt_runtime_us", std::to_string(*r.rt_runtime_us)});
    return write_in_some_order(std::move(realtime)).under("cpu.realtimeRuntime, cpu.realtimePeriod");
}

Result<std::string> cpu_max(const std::string& file, const Resources& r) {
    std::string quota = r.cpu_quota_us && *r.cpu_quota_us > 0 ? std::to_string(*r.cpu_quota_us) : "max";
    // A quota alone leaves the period as it is; a period cannot be written alone.
    if (!r.cpu_period_us) return quota;
    if (!r.cpu_quota_us) {
        quota = TRY(read_file(file));
        quota.resize(std::min(quota.find_first_of(" \n"), quota.size()));
    }
    return quota + " " + std::to_string(*r.cpu_period_us);
}

Status apply_v2(const std::string& dir, const Resources& r) {
    TRY(write_weight(dir, "cpu.weight", weight_from_shares(r.cpu_shares.value_or(0)), r));
    std::vector<Write> writes;
    const std::string max = dir + "/cpu.max";
    if (r.cpu_quota_us || r.cpu_period_us) {
        std::string value = TRY(cpu_max(max, r));
        writes.push_back({max, std::move(value)});
    }
    TRY(add_burst(dir + "/cpu.max.burst", r, writes));
    return write_in_some_order(std::move(writes));
}

}  // namespace

Status apply_cpu(const std::string& dir, Version version, const Resources& r) {
    return version == Version::V1 ? apply_v1(dir, r) : apply_v2(dir, r);
}

Status apply_cpuset(const std::string& dir, const Resources& r) {
    if (r.cpuset_cpus) TRY(write_value(dir + "/cpuset.cpus", *r.cpuset_cpus));
    if (r.cpuset_mems) TRY(write_value(dir + "/cpuset.mems", *r.cpuset_mems));
    return ok();
}

}  // namespace orlop::cgroups
