#include "kube/kubelet_config.h"

#include "kube/names.h"
#include "kube/schema.h"

namespace orlop::kube {

template <>
struct EnumNames<CgroupDriverName> {
    static constexpr std::pair<CgroupDriverName, std::string_view> table[] = {
        {CgroupDriverName::Unset, ""},
        {CgroupDriverName::Cgroupfs, "cgroupfs"},
        {CgroupDriverName::Systemd, "systemd"}};
};

namespace {

constexpr std::string_view kLater = "is not acted on yet";

template <Shape S>
constexpr Field<KubeletConfig> later(std::string_view name) {
    return warned<KubeletConfig, S>(name, kLater);
}

}  // namespace

template <>
struct Schema<CrashLoopBackOffConfig> {
    static std::span<const Field<CrashLoopBackOffConfig>> fields() {
        using T = CrashLoopBackOffConfig;
        static constexpr Field<T> table[] = {field<&T::max_restart_period>("maxContainerRestartPeriod")};
        return table;
    }
    static void finish(CrashLoopBackOffConfig& c, const Path& path, Findings& findings) {
        const Nanos period = c.max_restart_period.value;
        if (period < std::chrono::seconds(1) || period > std::chrono::seconds(300))
            findings.error(path.field("maxContainerRestartPeriod"), "must be 1s..300s");
    }
};

template <>
struct Schema<LoggingConfig> {
    static std::span<const Field<LoggingConfig>> fields() {
        using T = LoggingConfig;
        static constexpr Field<T> table[] = {
            field<&T::format>("format"),
            field<&T::verbosity>("verbosity"),
            warned<T, Shape::Any>("flushFrequency", kLater),
            warned<T, Shape::Any>("vmodule", kLater),
            warned<T, Shape::Map>("options", kLater),
        };
        return table;
    }
    static void finish(LoggingConfig& logging, const Path& path, Findings& findings) {
        if (logging.format != "text" && logging.format != "json")
            findings.error(path.field("format"), "'" + logging.format + "' is none of text, json");
    }
};

template <>
struct Schema<KubeletConfig> {
    static std::span<const Field<KubeletConfig>> fields();
    static void finish(KubeletConfig& config, const Path& path, Findings& findings);
};

std::span<const Field<KubeletConfig>> Schema<KubeletConfig>::fields() {
    using T = KubeletConfig;
    using enum Shape;
    static constexpr Field<T> table[] = {
        field<&T::static_pod_path>("staticPodPath"),
        field<&T::file_check_frequency>("fileCheckFrequency"),
        field<&T::healthz_address>("healthzBindAddress"),
        field<&T::healthz_port>("healthzPort"),
        field<&T::runtime_endpoint>("containerRuntimeEndpoint"),
        field<&T::image_endpoint>("imageServiceEndpoint"),
        field<&T::runtime_timeout>("runtimeRequestTimeout"),
        field<&T::cgroup_root>("cgroupRoot"),
        field<&T::cgroups_per_qos>("cgroupsPerQOS"),
        field<&T::cgroup_driver>("cgroupDriver"),
        field<&T::fail_cgroup_v1>("failCgroupV1"),
        field<&T::pod_logs_dir>("podLogsDir"),
        field<&T::cluster_dns>("clusterDNS"),
        field<&T::cluster_domain>("clusterDomain"),
        field<&T::resolv_conf>("resolvConf"),
        field<&T::crash_loop>("crashLoopBackOff"),
        field<&T::max_pods>("maxPods"),
        field<&T::pod_pids_limit>("podPidsLimit"),
        field<&T::cpu_cfs_quota>("cpuCFSQuota"),
        field<&T::cpu_cfs_period>("cpuCFSQuotaPeriod"),
        field<&T::single_process_oom_kill>("singleProcessOOMKill"),
        field<&T::seccomp_default>("seccompDefault"),
        field<&T::allowed_unsafe_sysctls>("allowedUnsafeSysctls"),
        field<&T::logging>("logging"),
        later<Bool>("enableServer"),
        later<Duration>("syncFrequency"),
        later<Duration>("httpCheckFrequency"),
        later<String>("staticPodURL"),
        later<Map>("staticPodURLHeader"),
        later<String>("address"),
        later<Int>("port"),
        later<Int>("readOnlyPort"),
        later<Duration>("streamingConnectionIdleTimeout"),
        later<Bool>("enableDebuggingHandlers"),
        later<Bool>("enableContentionProfiling"),
        later<Bool>("enableProfilingHandler"),
        later<Bool>("enableDebugFlagsHandler"),
        later<Bool>("enableSystemLogHandler"),
        later<Bool>("enableSystemLogQuery"),
        later<String>("tlsCertFile"),
        later<String>("tlsPrivateKeyFile"),
        later<List>("tlsCipherSuites"),
        later<List>("tlsCurvePreferences"),
        later<String>("tlsMinVersion"),
        later<Bool>("rotateCertificates"),
        later<Bool>("serverTLSBootstrap"),
        later<Map>("authentication"),
        later<Map>("authorization"),
        later<Int>("registryPullQPS"),
        later<Int>("registryBurst"),
        later<Bool>("serializeImagePulls"),
        later<Int>("maxParallelImagePulls"),
        later<String>("imagePullCredentialsVerificationPolicy"),
        later<List>("preloadedImagesVerificationAllowlist"),
        later<Duration>("imageMinimumGCAge"),
        later<Duration>("imageMaximumGCAge"),
        later<Int>("imageGCHighThresholdPercent"),
        later<Int>("imageGCLowThresholdPercent"),
        later<Int>("kubeAPIQPS"),
        later<Int>("kubeAPIBurst"),
        later<Int>("eventRecordQPS"),
        later<Int>("eventBurst"),
        later<Duration>("nodeStatusUpdateFrequency"),
        later<Duration>("nodeStatusReportFrequency"),
        later<Int>("nodeLeaseDurationSeconds"),
        later<Int>("nodeStatusMaxImages"),
        later<Bool>("registerNode"),
        later<List>("registerWithTaints"),
        later<String>("providerID"),
        later<String>("podCIDR"),
        later<String>("kubeletCgroups"),
        later<String>("systemCgroups"),
        later<Map>("systemReserved"),
        later<Map>("kubeReserved"),
        later<String>("systemReservedCgroup"),
        later<String>("kubeReservedCgroup"),
        later<String>("reservedSystemCPUs"),
        later<List>("enforceNodeAllocatable"),
        later<String>("cpuManagerPolicy"),
        later<Map>("cpuManagerPolicyOptions"),
        later<Duration>("cpuManagerReconcilePeriod"),
        later<String>("memoryManagerPolicy"),
        later<List>("reservedMemory"),
        later<Number>("memoryThrottlingFactor"),
        later<String>("topologyManagerPolicy"),
        later<Map>("topologyManagerPolicyOptions"),
        later<String>("topologyManagerScope"),
        later<Map>("qosReserved"),
        later<Int>("podsPerCore"),
        later<Map>("memorySwap"),
        later<Bool>("failSwapOn"),
        later<Int>("oomScoreAdj"),
        later<Int>("maxOpenFiles"),
        later<Bool>("localStorageCapacityIsolation"),
        later<Map>("userNamespaces"),
        later<Map>("evictionHard"),
        later<Map>("evictionSoft"),
        later<Map>("evictionSoftGracePeriod"),
        later<Duration>("evictionPressureTransitionPeriod"),
        later<Int>("evictionMaxPodGracePeriod"),
        later<Map>("evictionMinimumReclaim"),
        later<Bool>("mergeDefaultEvictionSettings"),
        later<String>("containerLogMaxSize"),
        later<Int>("containerLogMaxFiles"),
        later<Int>("containerLogMaxWorkers"),
        later<Duration>("containerLogMonitorInterval"),
        later<String>("hairpinMode"),
        later<Bool>("makeIPTablesUtilChains"),
        later<Int>("iptablesMasqueradeBit"),
        later<Int>("iptablesDropBit"),
        later<Duration>("volumeStatsAggPeriod"),
        later<String>("volumePluginDir"),
        later<Bool>("enableControllerAttachDetach"),
        later<String>("configMapAndSecretChangeDetectionStrategy"),
        later<String>("contentType"),
        later<Bool>("protectKernelDefaults"),
        later<Map>("featureGates"),
        later<Duration>("shutdownGracePeriod"),
        later<Duration>("shutdownGracePeriodCriticalPods"),
        later<List>("shutdownGracePeriodByPodPriority"),
        later<Bool>("runOnce"),
        later<String>("showHiddenMetricsForVersion"),
        later<Map>("tracing"),
    };
    return table;
}

namespace {

void check_absolute(const std::string& path, const Path& where, Findings& findings) {
    if (!path.empty() && path.front() != '/') findings.error(where, "must be an absolute path");
}

void check_range(int64_t value, int64_t low, int64_t high, const Path& where, Findings& findings) {
    if (value < low || value > high)
        findings.error(where, "must be " + std::to_string(low) + ".." + std::to_string(high));
}

void check_endpoint(const std::string& endpoint, const Path& where, Findings& findings) {
    if (!endpoint.starts_with("unix:///") && !endpoint.starts_with("/"))
        findings.error(where, "must be unix:///PATH, found '" + endpoint + "'");
}

}  // namespace

void Schema<KubeletConfig>::finish(KubeletConfig& config, const Path& path, Findings& findings) {
    check_absolute(config.static_pod_path, path.field("staticPodPath"), findings);
    check_absolute(config.resolv_conf, path.field("resolvConf"), findings);
    check_absolute(config.pod_logs_dir, path.field("podLogsDir"), findings);
    check_absolute(config.cgroup_root, path.field("cgroupRoot"), findings);
    if (has_backsteps(config.cgroup_root)) findings.error(path.field("cgroupRoot"), "must not contain '..'");
    check_range(config.healthz_port, 0, 65535, path.field("healthzPort"), findings);
    check_range(config.max_pods, 0, 1'000'000, path.field("maxPods"), findings);
    check_endpoint(config.runtime_endpoint, path.field("containerRuntimeEndpoint"), findings);
    if (!config.image_endpoint.empty())
        check_endpoint(config.image_endpoint, path.field("imageServiceEndpoint"), findings);
    if (!is_ip(config.healthz_address))
        findings.error(path.field("healthzBindAddress"),
                       "'" + config.healthz_address + "' is not an IP address");
    for (size_t i = 0; i < config.cluster_dns.size(); ++i) {
        const Path list = path.field("clusterDNS");
        if (!is_ip(config.cluster_dns[i]))
            findings.error(list.at(i), "'" + config.cluster_dns[i] + "' is not an IP address");
    }
    if (config.file_check_frequency.value < std::chrono::seconds(1))
        findings.error(path.field("fileCheckFrequency"), "must be at least 1s");
    if (config.runtime_timeout.value < std::chrono::seconds(1))
        findings.error(path.field("runtimeRequestTimeout"), "must be at least 1s");
    const Nanos period = config.cpu_cfs_period.value;
    if (period < std::chrono::milliseconds(1) || period > std::chrono::seconds(1))
        findings.error(path.field("cpuCFSQuotaPeriod"), "must be 1ms..1s");
}

Result<ReadConfig> read_kubelet_config(std::string_view text) {
    std::vector<Json> documents = TRY(parse_documents(text));
    if (documents.size() != 1 || !documents[0].is_object())
        return Error::invalid("must hold one KubeletConfiguration");
    Json& document = documents[0];
    const auto header = [&](const char* name, std::string_view wanted) -> Status {
        const auto at = document.find(name);
        if (at == document.end()) return Error::invalid(std::string(name) + ": required");
        if (*at != wanted)
            return Error::invalid(std::string(name) + ": must be " + std::string(wanted) + ", found " +
                                  at->dump());
        document.erase(at);
        return ok();
    };
    TRY(header("apiVersion", "kubelet.config.k8s.io/v1beta1"));
    TRY(header("kind", "KubeletConfiguration"));
    Findings findings(UnknownFields::Error);
    ReadConfig out;
    read_object(document, out.config, Path(), findings);
    if (!findings.errors().empty()) return Error::invalid(join(findings.errors()));
    out.warnings = findings.warnings();
    return out;
}

}  // namespace orlop::kube
