// The controllers with one kind of limit each: pids, hugetlb, rdma, net_cls, net_prio (kernel:
// admin-guide/cgroup-v1/{pids,hugetlb,rdma,net_cls,net_prio}; the first three are alike on v2).
#include "cgroups/files.h"

namespace orlop::cgroups {

Status apply_pids(const std::string& dir, const Resources& r) {
    // pids.max says "max" on both versions.
    return write_value(dir + "/pids.max", limit_text(*r.pids_limit, Version::V2));
}

Status apply_hugetlb(const std::string& dir, Version version, const Resources& r) {
    const std::string suffix = version == Version::V1 ? "limit_in_bytes" : "max";
    for (const auto& [size, bytes] : r.hugepages) {
        const std::string base = dir + "/hugetlb." + size + ".";
        TRY(write_value(base + suffix, std::to_string(bytes)));
        // Without it (5.7) a page that was reserved but not touched would not count.
        auto reserved = write_value(base + "rsvd." + suffix, std::to_string(bytes));
        if (!reserved && reserved.error().errnum() != ENOENT) return reserved;
    }
    return ok();
}

Status apply_rdma(const std::string& dir, const Resources& r) {
    for (const auto& [device, limits] : r.rdma) {
        std::string line = device;
        if (limits.handles) line += " hca_handle=" + std::to_string(*limits.handles);
        if (limits.objects) line += " hca_object=" + std::to_string(*limits.objects);
        if (line.size() > device.size()) TRY(write_value(dir + "/rdma.max", line));
    }
    return ok();
}

Status apply_net_class(const std::string& dir, const Resources& r) {
    return write_value(dir + "/net_cls.classid", std::to_string(*r.net_class));
}

Status apply_net_priority(const std::string& dir, const Resources& r) {
    for (const auto& [interface, priority] : r.net_priority)
        TRY(write_value(dir + "/net_prio.ifpriomap", interface + " " + std::to_string(priority)));
    return ok();
}

}  // namespace orlop::cgroups
