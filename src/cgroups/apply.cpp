#include <algorithm>

#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

Error only_on(Version version, const std::string& field) {
    return Error::unimplemented(field + ": this host has cgroup " + (version == Version::V1 ? "v2" : "v1") +
                                ", only " + (version == Version::V1 ? "v1" : "v2") + " can do that");
}

// A file that is missing in a cgroup that is there belongs to a controller that is not.
Status explain(Status applied, const std::string& dir, const std::string& controller) {
    if (applied || applied.error().errnum() != ENOENT || !file_exists(dir)) return applied;
    return Error(
        Kind::Unimplemented,
        applied.error().what() + " (controller \"" + controller + "\" is not available in this cgroup)",
        ENOENT);
}

template <class Apply>
Status in_controller(const Cgroup& cgroup, const char* controller, bool needed, const Apply& apply) {
    if (!needed) return ok();
    const Hierarchies& h = cgroup.hierarchies();
    const auto& v2 = h.v2_controllers;
    if (h.version == Version::V2 && std::find(v2.begin(), v2.end(), controller) == v2.end())
        return Error::unimplemented("this host has no cgroup controller \"" + std::string(controller) + "\"");
    const std::string dir = TRY(cgroup.directory_of(controller));
    return explain(apply(dir), dir, controller);
}

// On hybrid hosts nobody else hands v2 controllers down.
Status hand_down_hybrid(const Cgroup& cgroup, const char* controller) {
    const Hierarchies& h = cgroup.hierarchies();
    if (h.version == Version::V2 || h.v1.contains(controller) || h.hybrid_v2.empty()) return ok();
    const std::string& path = cgroup.path();
    for (size_t at = 0; at < path.size(); ++at) {
        if (path[at] != '/') continue;
        TRY(write_value(h.hybrid_v2 + path.substr(0, at) + "/cgroup.subtree_control",
                        "+" + std::string(controller)));
    }
    return ok();
}

Status apply_hugepages(const Cgroup& cgroup, const Resources& r) {
    if (r.hugepages.empty()) return ok();
    const std::string dir = TRY(cgroup.directory_of("hugetlb"));
    TRY(hand_down_hybrid(cgroup, "hugetlb"));
    const bool v1 = cgroup.hierarchies().v1.contains("hugetlb");
    return explain(apply_hugetlb(dir, v1 ? Version::V1 : Version::V2, r), dir, "hugetlb");
}

Status apply_devices(const Cgroup& cgroup, const Resources& r) {
    if (r.devices.empty()) return ok();
    const Hierarchies& h = cgroup.hierarchies();
    if (h.version == Version::V2) return apply_devices_v2(h.root + cgroup.path(), r.devices);
    // Device programs need no controller, only a v2 directory.
    if (!h.v1.contains("devices") && !h.hybrid_v2.empty())
        return apply_devices_v2(h.hybrid_v2 + cgroup.path(), r.devices);
    return apply_devices_v1(TRY(cgroup.directory_of("devices")), r.devices);
}

Status apply_unified(const Cgroup& cgroup, const Resources& r) {
    for (const auto& [file, value] : r.unified) {
        const std::string dir = cgroup.hierarchies().root + cgroup.path();
        auto written = write_value(dir + "/" + file, value);
        TRY(explain(std::move(written), dir, file.substr(0, file.find('.'))).under("unified." + file));
    }
    return ok();
}

}  // namespace

Status check_resources(const Resources& r, Version version) {
    if (version == Version::V1) {
        if (!r.unified.empty()) return only_on(Version::V2, "unified." + r.unified.begin()->first);
        return ok();
    }
    for (const auto& [file, value] : r.unified) {
        const bool plain = file.find('/') == std::string::npos && file.find('.') != std::string::npos;
        if (!plain || file[0] == '.' || file.starts_with("cgroup."))
            return Error::invalid("unified." + file + ": not a controller's file");
    }
    const bool leaf = std::any_of(r.io_devices.begin(), r.io_devices.end(),
                                  [](const IoDevice& d) { return d.leaf_weight.has_value(); });
    const std::pair<bool, const char*> v1_only[] = {
        {r.rt_runtime_us.has_value(), "cpu.realtimeRuntime"},
        {r.rt_period_us.has_value(), "cpu.realtimePeriod"},
        {r.memory_swappiness.has_value(), "memory.swappiness"},
        {r.disable_oom_killer.value_or(false), "memory.disableOOMKiller"},
        {r.io_leaf_weight.has_value(), "blockIO.leafWeight"},
        {leaf, "blockIO.weightDevice.leafWeight"},
        {r.net_class.has_value(), "network.classID"},
        {!r.net_priority.empty(), "network.priorities"},
    };
    for (const auto& [set, field] : v1_only) {
        if (set) return only_on(Version::V1, field);
    }
    return ok();
}

Status Cgroup::apply(const Resources& r) const {
    const Version v = h_->version;
    TRY(check_resources(r, v));
    const bool cpu = r.cpu_shares || r.cpu_quota_us || r.cpu_period_us || r.cpu_burst_us || r.cpu_idle ||
                     r.rt_runtime_us || r.rt_period_us;
    const bool memory = r.memory_limit || r.memory_swap_limit || r.memory_reservation ||
                        r.memory_swappiness || r.disable_oom_killer;
    const bool io = r.io_weight || r.io_leaf_weight || !r.io_devices.empty();
    const auto in = [this](const char* controller, bool needed, const auto& apply) {
        return in_controller(*this, controller, needed, apply);
    };
    TRY(in("cpu", cpu, [&](const std::string& dir) { return apply_cpu(dir, v, r); }));
    TRY(in("cpuset", r.cpuset_cpus || r.cpuset_mems,
           [&](const std::string& dir) { return apply_cpuset(dir, r); }));
    TRY(in("memory", memory, [&](const std::string& dir) { return apply_memory(dir, v, r); }));
    TRY(in("pids", r.pids_limit.has_value(), [&](const std::string& dir) { return apply_pids(dir, r); }));
    TRY(in(v == Version::V1 ? "blkio" : "io", io,
           [&](const std::string& dir) { return apply_io(dir, v, r); }));
    TRY(apply_hugepages(*this, r));
    TRY(in("rdma", !r.rdma.empty(), [&](const std::string& dir) { return apply_rdma(dir, r); }));
    TRY(in("net_cls", r.net_class.has_value(),
           [&](const std::string& dir) { return apply_net_class(dir, r); }));
    TRY(in("net_prio", !r.net_priority.empty(),
           [&](const std::string& dir) { return apply_net_priority(dir, r); }));
    TRY(apply_devices(*this, r));
    return apply_unified(*this, r);
}

}  // namespace orlop::cgroups
