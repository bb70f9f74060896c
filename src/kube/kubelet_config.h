// KubeletConfiguration, kubelet.config.k8s.io/v1beta1 (kubernetes.io, Kubelet Configuration reference).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/document.h"
#include "kube/duration.h"
#include "kube/findings.h"

namespace orlop::kube {

enum class CgroupDriverName { Unset, Cgroupfs, Systemd };

struct CrashLoopBackOffConfig {
    Duration max_restart_period{std::chrono::seconds(300)};
};

struct LoggingConfig {
    std::string format = "text";
    int64_t verbosity = 0;
};

// What is acted on, with the kubelet's defaults.
struct KubeletConfig {
    std::string static_pod_path;
    Duration file_check_frequency{std::chrono::seconds(20)};
    std::string healthz_address = "127.0.0.1";
    int32_t healthz_port = 10248;  // 0: off
    std::string runtime_endpoint = "unix:///run/orlop/runtime.sock";
    std::string image_endpoint;  // empty: the runtime's
    Duration runtime_timeout{std::chrono::minutes(2)};
    std::string cgroup_root = "/";
    bool cgroups_per_qos = true;
    CgroupDriverName cgroup_driver = CgroupDriverName::Unset;  // Unset: what the runtime says
    bool fail_cgroup_v1 = false;  // the kubelet's default is true: nodes of el8 would be refused
    std::string pod_logs_dir = "/var/log/pods";
    std::vector<std::string> cluster_dns;
    std::string cluster_domain;
    std::string resolv_conf = "/etc/resolv.conf";  // empty: no DNS from the host
    CrashLoopBackOffConfig crash_loop;
    int64_t max_pods = 110;
    int64_t pod_pids_limit = -1;
    bool cpu_cfs_quota = true;
    Duration cpu_cfs_period{std::chrono::milliseconds(100)};
    bool single_process_oom_kill = false;
    bool seccomp_default = false;
    std::vector<std::string> allowed_unsafe_sysctls;
    LoggingConfig logging;
};

struct ReadConfig {
    KubeletConfig config;
    std::vector<Finding> warnings;  // known fields that are not acted on yet, by name
};

// YAML or JSON, one document. Unknown fields, wrong types and values out of range are an Invalid error that
// names each field, in one line.
Result<ReadConfig> read_kubelet_config(std::string_view text);

}  // namespace orlop::kube
