// Who makes the cgroups that Kubernetes names: systemd (through sd-bus) or we ourselves (cgroupfs).
// Pods' inner cgroups are always made by plain file access (Cgroup) inside a delegated unit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroups/cgroup.h"

namespace orlop::cgroups {

// Where a sandbox's cgroup goes and who is its first member.
struct PodRequest {
    std::string parent;  // CRI cgroup_parent: "/kubepods/burstable/podX" or, with systemd,
                         // "kubepods-burstable-podX.slice" (cgroupfs syntax is converted); "" = "/orlop" or
                         // "system.slice"
    std::string sandbox_id;   // 64 hex digits
    std::vector<pid_t> pids;  // moved into the leaf "shim" of the pod's cgroup (the shim itself)
    Resources resources;      // limits of the whole sandbox; usually empty
};

class Driver {
  public:
    virtual ~Driver() = default;
    virtual std::string name() const = 0;  // "systemd" | "cgroupfs"
    // The sandbox's cgroup `<parent>/orlop-<id>` (systemd: transient scope orlop-<id>.scope, Delegate=yes,
    // one job), with the leaf "shim" holding request.pids and controllers enabled for further leaves. All
    // undone on failure.
    virtual Result<Cgroup> create_pod(const PodRequest& request) = 0;
    // Where create_pod puts it; pure, for recovery.
    virtual Result<std::string> pod_path(const std::string& parent, const std::string& sandbox_id) const = 0;
    // Kills what is left in it, removes it (scope: StopUnit + ResetFailedUnit, then rmdir of what systemd
    // does not know). Missing is fine. The parent is removed only if it is the default one and empty.
    virtual Status remove_pod(const std::string& parent, const std::string& sandbox_id) = 0;
    // For the agent: kubepods, QoS and pod slices. Path in cgroupfs syntax ("/kubepods/burstable/pod<uid>").
    // Idempotent; applies limits.
    virtual Result<Cgroup> ensure_slice(const std::string& path, const Resources& resources) = 0;
    virtual Status remove_slice(const std::string& path) = 0;
};

std::unique_ptr<Driver> make_cgroupfs_driver(const Hierarchies& hierarchies);

// "/kubepods/burstable/pod1-2" -> "kubepods-burstable-pod1_2.slice" and its cgroup path
// "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice" (systemd.slice(5)).
Result<std::string> slice_unit_from_path(const std::string& cgroupfs_path);
Result<std::string> slice_path_from_unit(const std::string& slice_unit);

}  // namespace orlop::cgroups
