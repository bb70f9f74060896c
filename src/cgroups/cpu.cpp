#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

constexpr uint64_t kDefaultPeriod = 100000;  // us; kernel: scheduler/sched-bwc

Status apply_v1(const std::string& dir, const Resources& r) {
    if (r.cpu_shares) TRY(write_value(dir + "/cpu.shares", std::to_string(*r.cpu_shares)));
    const std::string period_file = dir + "/cpu.cfs_period_us";
    const std::string quota_file = dir + "/cpu.cfs_quota_us";
    bool period_left = false;
    if (r.cpu_period_us) {
        // The kernel refuses a period whose ratio with today's quota exceeds the parent's; then the new quota
        // goes first.
        const auto written = write_value(period_file, std::to_string(*r.cpu_period_us));
        if (!written && !(written.error().errnum() == EINVAL && r.cpu_quota_us)) return written;
        period_left = !written;
    }
    if (r.cpu_quota_us)
        TRY(write_value(quota_file, std::to_string(*r.cpu_quota_us <= 0 ? -1 : *r.cpu_quota_us)));
    if (period_left) TRY(write_value(period_file, std::to_string(*r.cpu_period_us)));
    return ok();
}

Status apply_v2(const std::string& dir, const Resources& r) {
    if (r.cpu_shares)
        TRY(write_value(dir + "/cpu.weight", std::to_string(weight_from_shares(*r.cpu_shares))));
    if (!r.cpu_quota_us && !r.cpu_period_us) return ok();
    const std::string quota = r.cpu_quota_us && *r.cpu_quota_us > 0 ? std::to_string(*r.cpu_quota_us) : "max";
    return write_value(dir + "/cpu.max",
                       quota + " " + std::to_string(r.cpu_period_us.value_or(kDefaultPeriod)));
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
