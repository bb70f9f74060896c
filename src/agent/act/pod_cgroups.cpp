#include "agent/act/pod_cgroups.h"

namespace orlop::agent {

Status PodCgroups::prepare() {
    if (!driver_) return ok();
    const std::lock_guard lock(mutex_);
    cgroups::Resources all;
    all.cpu_shares = shares_from_milli(node_.cpu_milli);
    TRY(driver_->ensure_slice(kubepods_path(node_.cgroup_root), all));
    cgroups::Resources best_effort;
    best_effort.cpu_shares = shares_from_milli(0);
    TRY(driver_->ensure_slice(qos_path(node_.cgroup_root, QosClass::BestEffort), best_effort));
    return apply_burstable_shares();
}

// The level gets what its pods ask for together.
Status PodCgroups::apply_burstable_shares() {
    int64_t milli = 0;
    for (const auto& [uid, request] : burstable_) milli += request;
    cgroups::Resources burstable;
    burstable.cpu_shares = shares_from_milli(milli);
    TRY(driver_->ensure_slice(qos_path(node_.cgroup_root, QosClass::Burstable), burstable));
    return ok();
}

Status PodCgroups::ensure(const kube::Pod& pod) {
    if (!driver_) return ok();
    const QosClass qos = qos_class(pod);
    const std::string path = pod_cgroup_path(node_.cgroup_root, qos, pod.meta.uid);
    const cgroups::Resources resources = pod_cgroup_resources(pod, node_.cpu, node_.pids_limit);
    if (qos == QosClass::Burstable) {
        const std::lock_guard lock(mutex_);
        const int64_t milli = pod_cpu_request_milli(pod);
        if (const auto [at, added] = burstable_.insert_or_assign(pod.meta.uid, milli); added)
            TRY(apply_burstable_shares());
    }
    TRY(driver_->ensure_slice(path, resources));
    return ok();
}

Status PodCgroups::remove(const std::string& uid) {
    if (!driver_) return ok();
    for (const QosClass qos : {QosClass::Burstable, QosClass::BestEffort, QosClass::Guaranteed})
        TRY(driver_->remove_slice(pod_cgroup_path(node_.cgroup_root, qos, uid)));
    const std::lock_guard lock(mutex_);
    if (burstable_.erase(uid) != 0) TRY(apply_burstable_shares());
    return ok();
}

}  // namespace orlop::agent
