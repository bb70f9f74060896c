#include "agent/decide/qos.h"

#include <algorithm>

namespace orlop::agent {

namespace {

const kube::Quantity* find(const kube::ResourceList& list, const char* name) {
    const auto at = list.find(name);
    return at == list.end() || at->second.zero() ? nullptr : &at->second;
}

int64_t amount(const kube::ResourceList& list, const char* name, bool milli) {
    const kube::Quantity* q = find(list, name);
    if (q == nullptr) return 0;
    return milli ? q->milli() : q->value();
}

enum class What { Requests, Limits };

const kube::ResourceList& list_of(const kube::Container& c, What what) {
    return what == What::Requests ? c.resources.requests : c.resources.limits;
}

// Init containers run one after another, each beside the sidecars that started before it.
int64_t total(const kube::Pod& pod, What what, const char* name, bool milli) {
    int64_t running = 0;
    for (const kube::Container& c : pod.spec.containers) running += amount(list_of(c, what), name, milli);
    int64_t sidecars = 0;
    int64_t peak = 0;
    for (const kube::Container& c : pod.spec.init_containers) {
        const int64_t own = amount(list_of(c, what), name, milli);
        if (c.restartable_init()) sidecars += own;
        peak = std::max(peak, c.restartable_init() ? sidecars : sidecars + own);
    }
    return std::max(running + sidecars, peak);
}

bool all_limited(const kube::Pod& pod, const char* name) {
    const auto limited = [&](const kube::Container& c) { return find(c.resources.limits, name) != nullptr; };
    return std::all_of(pod.spec.containers.begin(), pod.spec.containers.end(), limited) &&
           std::all_of(pod.spec.init_containers.begin(), pod.spec.init_containers.end(), limited);
}

template <class F>
bool every_container(const kube::Pod& pod, F ask) {
    return std::all_of(pod.spec.containers.begin(), pod.spec.containers.end(), ask) &&
           std::all_of(pod.spec.init_containers.begin(), pod.spec.init_containers.end(), ask);
}

std::string under(const std::string& root, const std::string& path) {
    return (root == "/" ? "" : root) + path;
}

}  // namespace

QosClass qos_class(const kube::Pod& pod) {
    const bool nothing = every_container(pod, [](const kube::Container& c) {
        return find(c.resources.requests, "cpu") == nullptr &&
               find(c.resources.requests, "memory") == nullptr &&
               find(c.resources.limits, "cpu") == nullptr && find(c.resources.limits, "memory") == nullptr;
    });
    if (nothing) return QosClass::BestEffort;
    const bool guaranteed = every_container(pod, [](const kube::Container& c) {
        for (const char* name : {"cpu", "memory"}) {
            const kube::Quantity* limit = find(c.resources.limits, name);
            const kube::Quantity* request = find(c.resources.requests, name);
            if (limit == nullptr || request == nullptr || !(*limit == *request)) return false;
        }
        return true;
    });
    return guaranteed ? QosClass::Guaranteed : QosClass::Burstable;
}

const char* qos_name(QosClass qos) {
    switch (qos) {
        case QosClass::Guaranteed:
            return "Guaranteed";
        case QosClass::Burstable:
            return "Burstable";
        case QosClass::BestEffort:
            return "BestEffort";
    }
    return "";
}

uint64_t shares_from_milli(int64_t milli) {
    return static_cast<uint64_t>(
        std::clamp<int64_t>(std::min<int64_t>(milli, 1 << 28) * 1024 / 1000, 2, 262144));
}

int64_t quota_from_milli(int64_t milli, int64_t period_us) {
    if (milli <= 0) return 0;
    return std::max<int64_t>(std::min<int64_t>(milli, 1 << 28) * period_us / 1000, 1000);
}

int64_t pod_cpu_request_milli(const kube::Pod& pod) {
    return total(pod, What::Requests, "cpu", true);
}

cgroups::Resources pod_cgroup_resources(const kube::Pod& pod, const CpuRules& cpu, int64_t pids_limit) {
    cgroups::Resources out;
    out.cpu_shares = shares_from_milli(pod_cpu_request_milli(pod));
    if (cpu.quota && all_limited(pod, "cpu")) {
        out.cpu_quota_us = quota_from_milli(total(pod, What::Limits, "cpu", true), cpu.period_us);
        out.cpu_period_us = static_cast<uint64_t>(cpu.period_us);
    }
    if (all_limited(pod, "memory")) out.memory_limit = total(pod, What::Limits, "memory", false);
    if (pids_limit > 0) out.pids_limit = pids_limit;
    return out;
}

int64_t oom_score_adj(const kube::Pod& pod, const kube::Container& container, int64_t capacity) {
    if (pod.spec.priority && *pod.spec.priority >= kNodeCritical) return -997;
    if (pod.spec.priority_class == "system-node-critical") return -997;
    switch (qos_class(pod)) {
        case QosClass::Guaranteed:
            return -997;
        case QosClass::BestEffort:
            return 1000;
        case QosClass::Burstable:
            break;
    }
    const int64_t request = amount(container.resources.requests, "memory", false);
    if (capacity <= 0) return 999;
    const int64_t part =
        static_cast<int64_t>(1000.0 * static_cast<double>(request) / static_cast<double>(capacity));
    return std::clamp<int64_t>(1000 - part, 3, 999);
}

std::string kubepods_path(const std::string& root) {
    return under(root, "/kubepods");
}

std::string qos_path(const std::string& root, QosClass qos) {
    switch (qos) {
        case QosClass::Burstable:
            return under(root, "/kubepods/burstable");
        case QosClass::BestEffort:
            return under(root, "/kubepods/besteffort");
        case QosClass::Guaranteed:
            break;
    }
    return under(root, "/kubepods");
}

std::string pod_cgroup_path(const std::string& root, QosClass qos, const std::string& uid) {
    return qos_path(root, qos) + "/pod" + uid;
}

}  // namespace orlop::agent
