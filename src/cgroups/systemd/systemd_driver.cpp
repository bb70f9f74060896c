#include "cgroups/systemd/systemd_driver.h"

#include <unistd.h>

#include <algorithm>

#include "cgroups/files.h"
#include "cgroups/pod.h"
#include "cgroups/systemd/bus.h"

namespace orlop::cgroups {

namespace {

constexpr const char* kDefaultSlice = "system.slice";

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
        return forget_slices(h_, path);
    }

    Result<Cgroup> ensure_slice(const std::string& path, const Resources& resources) override {
        const std::string unit = TRY(slice_unit(path));
        const Cgroup slice(h_, TRY(slice_path_from_unit(unit)));
        std::vector<UnitProperty> properties = unit_properties(resources, h_.version, "");
        Manager manager = TRY(Manager::connect());
        auto all = accounting_properties();
        all.push_back({"DefaultDependencies", false});
        all.push_back({"Description", std::string("Kubernetes pods, made by Orlop")});
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
        return forget_slices(h_, dir);
    }

  private:
    static std::string scope_unit(const std::string& sandbox_id) { return "orlop-" + sandbox_id + ".scope"; }

    static Result<std::string> slice_unit(const std::string& parent) {
        if (parent.empty()) return std::string(kDefaultSlice);
        const std::string last = slice_of(parent);
        return last.ends_with(".slice") ? Result<std::string>(last) : slice_unit_from_path(parent);
    }

    Status start_scope(const PodRequest& request) {
        std::vector<UnitProperty> properties = accounting_properties();
        std::vector<uint32_t> pids(request.pids.begin(), request.pids.end());
        properties.push_back({"Description", "Pod sandbox " + request.sandbox_id.substr(0, 12)});
        std::string slice = TRY(slice_unit(request.parent));
        properties.push_back({"Slice", std::move(slice)});
        properties.push_back({"Delegate", true});
        properties.push_back({"DefaultDependencies", false});
        properties.push_back({"TasksMax", UINT64_MAX});
        properties.push_back({"CollectMode", std::string("inactive-or-failed")});
        properties.push_back({"PIDs", std::move(pids)});
        const auto more = unit_properties(request.resources, h_.version, "");
        properties.insert(properties.end(), more.begin(), more.end());
        return TRY(Manager::connect()).start_transient(scope_unit(request.sandbox_id), properties);
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
