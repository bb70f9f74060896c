#include "cgroups/systemd/systemd_driver.h"

#include <unistd.h>

#include <algorithm>

#include "cgroups/pod.h"
#include "cgroups/systemd/bus.h"

namespace orlop::cgroups {

namespace {

constexpr const char* kDefaultSlice = "system.slice";

UnitProperty flag(const char* name, bool on) {
    return {.name = name, .type = 'b', .number = on ? 1u : 0u};
}
UnitProperty number(const char* name, uint64_t value) {
    return {.name = name, .type = 't', .number = value};
}
UnitProperty text(const char* name, std::string value) {
    return {.name = name, .type = 's', .text = std::move(value)};
}

uint64_t or_infinity(int64_t limit) {
    return limit < 0 ? UINT64_MAX : static_cast<uint64_t>(limit);
}

// What systemd should know of the limits, or it would take them back at the next daemon-reload; the files are
// written too.
std::vector<UnitProperty> limits(const Resources& r, Version version) {
    std::vector<UnitProperty> out;
    const bool v1 = version == Version::V1;
    if (r.memory_limit) out.push_back(number(v1 ? "MemoryLimit" : "MemoryMax", or_infinity(*r.memory_limit)));
    if (r.cpu_shares && v1) out.push_back(number("CPUShares", *r.cpu_shares));
    if (r.cpu_shares && !v1) out.push_back(number("CPUWeight", weight_from_shares(*r.cpu_shares)));
    if (r.cpu_quota_us) {
        const uint64_t period = r.cpu_period_us.value_or(100000);
        // systemd counts per second of wall time, in steps of 10 ms.
        const uint64_t per_second =
            *r.cpu_quota_us <= 0
                ? UINT64_MAX
                : (static_cast<uint64_t>(*r.cpu_quota_us) * 1'000'000 / period + 9999) / 10000 * 10000;
        out.push_back(number("CPUQuotaPerSecUSec", per_second));
        out.push_back(number("CPUQuotaPeriodUSec", period));
    }
    if (r.pids_limit) out.push_back(number("TasksMax", or_infinity(*r.pids_limit)));
    return out;
}

std::vector<UnitProperty> accounting() {
    return {flag("CPUAccounting", true), flag("MemoryAccounting", true), flag("TasksAccounting", true)};
}

std::string slice_of(const std::string& parent) {
    const size_t slash = parent.rfind('/');
    return slash == std::string::npos ? parent : parent.substr(slash + 1);
}

class SystemdDriver final : public Driver {
  public:
    explicit SystemdDriver(const Hierarchies& h) : h_(h) {}
    std::string name() const override { return "systemd"; }

    Result<std::string> pod_path(const std::string& parent, const std::string& sandbox_id) const override {
        return TRY(slice_path_from_unit(TRY(slice_unit(parent)))) + "/" + scope_unit(sandbox_id);
    }

    Result<Cgroup> create_pod(const PodRequest& request) override {
        const std::string path = TRY(pod_path(request.parent, request.sandbox_id));
        const auto make = [&]() -> Status {
            TRY(start_scope(request));
            return fill_pod(h_, path, request);
        };
        auto r = make();
        if (r) return Cgroup(h_, path);
        Error error = std::move(r).error().under("make the pod's scope " + scope_unit(request.sandbox_id));
        if (auto undone = remove_pod(request.parent, request.sandbox_id); !undone)
            error = std::move(error).also(undone.error());
        return error;
    }

    Status remove_pod(const std::string& parent, const std::string& sandbox_id) override {
        const std::string path = TRY(pod_path(parent, sandbox_id));
        const Cgroup pod(h_, path);
        TRY(pod.kill_all(kKillTimeout));
        TRY(TRY(Manager::connect()).stop(scope_unit(sandbox_id)));
        // The hierarchies that systemd does not use (v1: cpuset, freezer, ...) are ours to clean.
        TRY(pod.remove(kRemoveTimeout));
        return forget_empty_parents(path);
    }

    Result<Cgroup> ensure_slice(const std::string& path, const Resources& resources) override {
        const std::string unit = TRY(slice_unit(path));
        const Cgroup slice(h_, TRY(slice_path_from_unit(unit)));
        std::vector<UnitProperty> properties = limits(resources, h_.version);
        Manager manager = TRY(Manager::connect());
        auto all = accounting();
        all.push_back(flag("DefaultDependencies", false));
        all.push_back(text("Description", "Kubernetes pods, made by Orlop"));
        all.insert(all.end(), properties.begin(), properties.end());
        auto started = manager.start_transient(unit, all);
        if (!started && started.error().kind() != Kind::Exists) return std::move(started).error().under(unit);
        if (!started && !properties.empty()) TRY(manager.set_properties(unit, properties).under(unit));
        TRY(slice.create());
        TRY(slice.apply(resources));
        return slice;
    }

    Status remove_slice(const std::string& path) override {
        const std::string unit = TRY(slice_unit(path));
        TRY(TRY(Manager::connect()).stop(unit));
        const std::string dir = TRY(slice_path_from_unit(unit));
        TRY(Cgroup(h_, dir).remove(kRemoveTimeout));
        return forget_empty_parents(dir);
    }

  private:
    static std::string scope_unit(const std::string& sandbox_id) { return "orlop-" + sandbox_id + ".scope"; }

    static Result<std::string> slice_unit(const std::string& parent) {
        if (parent.empty()) return std::string(kDefaultSlice);
        const std::string last = slice_of(parent);
        return last.ends_with(".slice") ? Result<std::string>(last) : slice_unit_from_path(parent);
    }

    Status start_scope(const PodRequest& request) {
        std::vector<UnitProperty> properties = accounting();
        std::vector<uint32_t> pids(request.pids.begin(), request.pids.end());
        properties.push_back(text("Description", "Pod sandbox " + request.sandbox_id.substr(0, 12)));
        properties.push_back(text("Slice", TRY(slice_unit(request.parent))));
        properties.push_back(flag("Delegate", true));
        properties.push_back(flag("DefaultDependencies", false));
        properties.push_back(number("TasksMax", UINT64_MAX));
        properties.push_back(text("CollectMode", "inactive-or-failed"));
        properties.push_back({.name = "PIDs", .type = 'a', .list = std::move(pids)});
        const auto more = limits(request.resources, h_.version);
        properties.insert(properties.end(), more.begin(), more.end());
        return TRY(Manager::connect()).start_transient(scope_unit(request.sandbox_id), properties);
    }

    // On v1, directories of slices that we made in hierarchies unknown to systemd go when the last pod in
    // them has gone.
    Status forget_empty_parents(std::string path) {
        if (h_.version == Version::V2) return ok();
        for (size_t slash = path.rfind('/'); slash != 0 && slash != std::string::npos;
             slash = path.rfind('/')) {
            path.resize(slash);
            for (const char* controller :
                 {"cpuset", "freezer", "hugetlb", "net_cls", "perf_event", "cpuacct", "rdma"}) {
                const auto at = h_.v1.find(controller);
                if (at == h_.v1.end()) continue;
                const std::string dir = at->second + path;
                if (rmdir(dir.c_str()) != 0 && errno != ENOENT && errno != EBUSY && errno != ENOTEMPTY) {
                    return Error::sys("remove cgroup " + dir);
                }
            }
        }
        return ok();
    }

    const Hierarchies& h_;
};

}  // namespace

Result<std::unique_ptr<Driver>> make_systemd_driver(const Hierarchies& hierarchies) {
    TRY(Manager::connect());
    return std::unique_ptr<Driver>(std::make_unique<SystemdDriver>(hierarchies));
}

bool systemd_is_running() {
    return access("/run/systemd/system", F_OK) == 0;
}

}  // namespace orlop::cgroups
