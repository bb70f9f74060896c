#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

using cgroups::Resources;

Status read_memory(const Field& from, Resources& out) {
    TRY(from.object());
    out.memory_limit = TRY(from["limit"].integer(-1, INT64_MAX));
    out.memory_reservation = TRY(from["reservation"].integer(-1, INT64_MAX));
    out.memory_swap_limit = TRY(from["swap"].integer(-1, INT64_MAX));
    out.memory_swappiness = TRY(from["swappiness"].natural(100));
    out.disable_oom_killer = TRY(from["disableOOMKiller"].flag());
    // 0 is how callers say that they say nothing.
    if (out.memory_limit == 0) out.memory_limit.reset();
    if (out.memory_reservation == 0) out.memory_reservation.reset();
    if (out.memory_swap_limit == 0) out.memory_swap_limit.reset();
    if (out.disable_oom_killer == false) out.disable_oom_killer.reset();
    const bool both =
        out.memory_limit && out.memory_swap_limit && *out.memory_limit > 0 && *out.memory_swap_limit > 0;
    if (both && *out.memory_swap_limit < *out.memory_limit)
        return from["swap"].wrong("counts memory and swap together, so it cannot be below limit");
    // The kernel's accounting of these ended; given, they must at least be numbers.
    TRY(from["kernel"].integer(-1, INT64_MAX));
    TRY(from["kernelTCP"].integer(-1, INT64_MAX));
    TRY(from["checkBeforeUpdate"].flag());
    TRY(from["useHierarchy"].flag());
    return ok();
}

Status read_cpu(const Field& from, Resources& out) {
    TRY(from.object());
    out.cpu_shares = TRY(from["shares"].natural(UINT64_MAX));
    out.cpu_quota_us = TRY(from["quota"].integer(INT64_MIN, INT64_MAX));
    out.cpu_burst_us = TRY(from["burst"].natural(UINT64_MAX));
    out.cpu_period_us = TRY(from["period"].natural(UINT64_MAX));
    out.rt_runtime_us = TRY(from["realtimeRuntime"].integer(-1, INT64_MAX));
    out.rt_period_us = TRY(from["realtimePeriod"].natural(UINT64_MAX));
    out.cpu_idle = TRY(from["idle"].integer(0, 1));
    out.cpuset_cpus = TRY(from["cpus"].text());
    out.cpuset_mems = TRY(from["mems"].text());
    if (out.cpu_shares == 0u) out.cpu_shares.reset();
    if (out.cpu_quota_us == 0) out.cpu_quota_us.reset();
    if (out.cpu_period_us == 0u) out.cpu_period_us.reset();
    if (out.rt_runtime_us == 0) out.rt_runtime_us.reset();
    if (out.rt_period_us == 0u) out.rt_period_us.reset();
    if (out.cpuset_cpus == "") out.cpuset_cpus.reset();
    if (out.cpuset_mems == "") out.cpuset_mems.reset();
    return ok();
}

Result<std::optional<uint16_t>> read_weight(const Field& from) {
    const auto weight = TRY(from.natural(UINT16_MAX));
    if (!weight || *weight == 0) return std::optional<uint16_t>();
    if (*weight < 10 || *weight > 1000) return from.wrong("must be from 10 to 1000");
    return std::optional(static_cast<uint16_t>(*weight));
}

Result<cgroups::IoDevice> read_io_device(const Field& from) {
    cgroups::IoDevice out;
    const auto major = TRY(from["major"].natural(UINT32_MAX));
    const auto minor = TRY(from["minor"].natural(UINT32_MAX));
    if (!major || !minor) return from.wrong("needs major and minor");
    out.major = static_cast<int64_t>(*major);
    out.minor = static_cast<int64_t>(*minor);
    return out;
}

Status read_throttle(const Field& list, std::optional<uint64_t> cgroups::IoDevice::*rate, Resources& out) {
    for (const Field& one : TRY(list.items())) {
        cgroups::IoDevice device = TRY(read_io_device(one));
        device.*rate = TRY(one["rate"].natural(UINT64_MAX));
        if (!(device.*rate)) return one["rate"].wrong("is missing");
        out.io_devices.push_back(device);
    }
    return ok();
}

Status read_block_io(const Field& from, Resources& out) {
    TRY(from.object());
    out.io_weight = TRY(read_weight(from["weight"]));
    out.io_leaf_weight = TRY(read_weight(from["leafWeight"]));
    for (const Field& one : TRY(from["weightDevice"].items())) {
        cgroups::IoDevice device = TRY(read_io_device(one));
        device.weight = TRY(read_weight(one["weight"]));
        device.leaf_weight = TRY(read_weight(one["leafWeight"]));
        out.io_devices.push_back(device);
    }
    TRY(read_throttle(from["throttleReadBpsDevice"], &cgroups::IoDevice::read_bps, out));
    TRY(read_throttle(from["throttleWriteBpsDevice"], &cgroups::IoDevice::write_bps, out));
    TRY(read_throttle(from["throttleReadIOPSDevice"], &cgroups::IoDevice::read_iops, out));
    return read_throttle(from["throttleWriteIOPSDevice"], &cgroups::IoDevice::write_iops, out);
}

Status read_hugepages(const Field& list, Resources& out) {
    for (const Field& one : TRY(list.items())) {
        const std::string size = TRY(one["pageSize"].required_text());
        if (size.find_first_not_of("0123456789KMGB") != std::string::npos)
            return one["pageSize"].wrong("is no page size such as 2MB");
        const auto limit = TRY(one["limit"].natural(UINT64_MAX));
        if (!limit) return one["limit"].wrong("is missing");
        out.hugepages[size] = *limit;
    }
    return ok();
}

Status read_network(const Field& from, Resources& out) {
    TRY(from.object());
    if (const auto id = TRY(from["classID"].natural(UINT32_MAX)); id && *id != 0)
        out.net_class = static_cast<uint32_t>(*id);
    for (const Field& one : TRY(from["priorities"].items())) {
        const auto priority = TRY(one["priority"].natural(UINT32_MAX));
        if (!priority) return one["priority"].wrong("is missing");
        out.net_priority[TRY(one["name"].required_text())] = static_cast<uint32_t>(*priority);
    }
    return ok();
}

Status read_rdma(const Field& from, Resources& out) {
    for (const auto& [name, one] : TRY(from.members())) {
        cgroups::Rdma limits;
        if (const auto n = TRY(one["hcaHandles"].natural(UINT32_MAX)))
            limits.handles = static_cast<uint32_t>(*n);
        if (const auto n = TRY(one["hcaObjects"].natural(UINT32_MAX)))
            limits.objects = static_cast<uint32_t>(*n);
        out.rdma[name] = limits;
    }
    return ok();
}

Status read_unified(const Field& from, Resources& out) {
    for (const auto& [name, one] : TRY(from.members())) {
        const bool plain = name.find('/') == std::string::npos && name.find('.') != std::string::npos &&
                           !name.starts_with('.') && !name.starts_with("cgroup.");
        if (!plain) return one.wrong("is no controller's file");
        out.unified[name] = *TRY(one.text());
    }
    return ok();
}

}  // namespace

Status read_resources(const Field& from, Resources& out) {
    TRY(from.object());
    TRY(read_memory(from["memory"], out));
    TRY(read_cpu(from["cpu"], out));
    TRY(from["pids"].object());
    out.pids_limit = TRY(from["pids"]["limit"].integer(INT64_MIN, INT64_MAX));
    if (out.pids_limit == 0) out.pids_limit.reset();
    if (out.pids_limit && *out.pids_limit < 0) out.pids_limit = -1;
    TRY(read_block_io(from["blockIO"], out));
    TRY(read_hugepages(from["hugepageLimits"], out));
    TRY(read_network(from["network"], out));
    TRY(read_rdma(from["rdma"], out));
    return read_unified(from["unified"], out);
}

}  // namespace orlop::oci
