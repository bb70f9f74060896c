// Quality of service: class, cgroups and limits of a pod (kubernetes.io, Pod QoS Classes). Pure.
#pragma once

#include <cstdint>
#include <string>

#include "cgroups/resources.h"
#include "kube/pod.h"

namespace orlop::agent {

enum class QosClass { Guaranteed, Burstable, BestEffort };
QosClass qos_class(const kube::Pod& pod);
const char* qos_name(QosClass qos);

// Priority of system-node-critical; static pods are critical for admission but only this one for the OOM
// killer.
inline constexpr int32_t kNodeCritical = 2'000'001'000;

struct CpuRules {
    bool quota = true;
    int64_t period_us = 100'000;
};

uint64_t shares_from_milli(int64_t milli);                   // milli*1024/1000 in [2, 262144]
int64_t quota_from_milli(int64_t milli, int64_t period_us);  // at least 1000; milli 0 -> 0, no quota

// Sum over the containers, or the largest moment of initialization if that is more.
int64_t pod_cpu_request_milli(const kube::Pod& pod);

// Of the pod's own cgroup: shares of all, quota and memory only if every container has a limit.
cgroups::Resources pod_cgroup_resources(const kube::Pod& pod, const CpuRules& cpu, int64_t pids_limit);

// -997 .. 1000; `capacity` is the node's memory in bytes.
int64_t oom_score_adj(const kube::Pod& pod, const kube::Container& container, int64_t capacity);

// "/kubepods", "/kubepods/burstable", "/kubepods/burstable/pod<uid>", below `root` ("/" or "/x").
std::string kubepods_path(const std::string& root);
std::string qos_path(const std::string& root, QosClass qos);
std::string pod_cgroup_path(const std::string& root, QosClass qos, const std::string& uid);

}  // namespace orlop::agent
