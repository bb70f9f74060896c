#include <unistd.h>

#include "cgroups/files.h"
#include "cgroups/pod.h"

namespace orlop::cgroups {

namespace {

constexpr const char* kDefaultParent = "/orlop";

class CgroupfsDriver final : public Driver {
  public:
    explicit CgroupfsDriver(const Hierarchies& h) : h_(h) {}
    std::string name() const override { return "cgroupfs"; }

    Result<std::string> pod_path(const std::string& parent, const std::string& sandbox_id) const override {
        std::string base = parent.empty() ? kDefaultParent : parent;
        while (base.ends_with('/')) base.pop_back();
        if (!base.empty() && base[0] != '/') base.insert(0, "/");
        return base + "/orlop-" + sandbox_id;
    }

    Result<Cgroup> create_pod(const PodRequest& request) override {
        const std::string path = TRY(pod_path(request.parent, request.sandbox_id));
        auto r = fill_pod(h_, path, request);
        if (r) return Cgroup(h_, path);
        Error error = std::move(r).error().under("make the pod's cgroup " + path);
        if (auto undone = remove_pod(request.parent, request.sandbox_id); !undone)
            error = std::move(error).also(undone.error());
        return error;
    }

    Status remove_pod(const std::string& parent, const std::string& sandbox_id) override {
        const Cgroup pod(h_, TRY(pod_path(parent, sandbox_id)));
        TRY(empty_pod(pod));
        if (!parent.empty()) return ok();
        // Others may be in it, or come: only an empty one goes.
        for (const std::string& dir : Cgroup(h_, kDefaultParent).directories()) {
            if (rmdir(dir.c_str()) != 0 && errno != ENOENT && errno != EBUSY && errno != ENOTEMPTY) {
                return Error::sys("remove cgroup " + dir);
            }
        }
        return ok();
    }

    Result<Cgroup> ensure_slice(const std::string& path, const Resources& resources) override {
        const Cgroup slice(h_, path);
        TRY(slice.create());
        TRY(slice.apply(resources));
        return slice;
    }

    Status remove_slice(const std::string& path) override { return Cgroup(h_, path).remove(kRemoveTimeout); }

  private:
    const Hierarchies& h_;
};

}  // namespace

std::unique_ptr<Driver> make_cgroupfs_driver(const Hierarchies& hierarchies) {
    return std::make_unique<CgroupfsDriver>(hierarchies);
}

}  // namespace orlop::cgroups
