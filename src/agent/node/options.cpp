#include "agent/node/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "base/dir.h"
#include "kube/names.h"

namespace orlop::agent {

namespace {

// Flags as a kubelet spells them; unset ones leave the file's value.
struct Flags {
    std::optional<std::string> runtime_endpoint;
    std::optional<std::string> image_endpoint;
    std::optional<std::string> manifests;
    std::optional<std::string> cgroup_driver;
    std::optional<std::string> healthz_address;
    std::optional<int> healthz_port;
    std::optional<std::string> cluster_dns;
    std::optional<std::string> cluster_domain;
    std::optional<std::string> resolv_conf;
    std::optional<std::string> cgroup_root;
    std::optional<std::string> timeout;
    std::optional<int64_t> max_pods;
    std::optional<int64_t> pids_limit;
    std::optional<bool> fail_v1;
    std::optional<bool> seccomp_default;
    std::optional<std::string> log_level;
    std::optional<std::string> log_format;
    std::string hostname;
    int verbosity = 0;
    bool version = false;
};

// What kubeadm and unit files write and this agent does not act on yet.
constexpr std::array<const char*, 22> kLater{"--bootstrap-kubeconfig",
                                             "--cert-dir",
                                             "--cloud-provider",
                                             "--cloud-config",
                                             "--config-dir",
                                             "--container-runtime",
                                             "--exit-on-lock-contention",
                                             "--feature-gates",
                                             "--image-credential-provider-bin-dir",
                                             "--image-credential-provider-config",
                                             "--kubeconfig",
                                             "--lock-file",
                                             "--network-plugin",
                                             "--node-labels",
                                             "--pod-infra-container-image",
                                             "--provider-id",
                                             "--register-with-taints",
                                             "--runtime-cgroups",
                                             "--system-cgroups",
                                             "--tls-cipher-suites",
                                             "--volume-plugin-dir",
                                             "--kubelet-cgroups"};

void add_flags(CLI::App& app, Options& options, Flags& flags) {
    app.add_option("--config", options.config_file, "KubeletConfiguration file");
    app.add_option("--container-runtime-endpoint", flags.runtime_endpoint, "CRI socket, unix:///PATH");
    app.add_option("--image-service-endpoint", flags.image_endpoint, "CRI image socket, if another");
    app.add_option("--root-dir", options.root_dir, "directory of pods and volumes")->capture_default_str();
    app.add_option("--hostname-override", flags.hostname, "name of the node");
    app.add_option("--node-ip", options.node_ip, "address of the node");
    app.add_option("--pod-manifest-path", flags.manifests, "folder (or file) of static pods");
    app.add_option("--status-socket", options.status_socket, "socket for orlop status")
        ->capture_default_str();
    app.add_option("--cgroup-driver", flags.cgroup_driver, "cgroupfs or systemd; default: as the runtime");
    app.add_option("--cgroup-root", flags.cgroup_root, "cgroup above kubepods");
    app.add_option("--healthz-port", flags.healthz_port, "0: off");
    app.add_option("--healthz-bind-address", flags.healthz_address, "");
    app.add_option("--cluster-dns", flags.cluster_dns, "comma-separated addresses");
    app.add_option("--cluster-domain", flags.cluster_domain, "");
    app.add_option("--resolv-conf", flags.resolv_conf, "");
    app.add_option("--runtime-request-timeout", flags.timeout, "");
    app.add_option("--max-pods", flags.max_pods, "");
    app.add_option("--pod-max-pids", flags.pids_limit, "");
    app.add_option("--fail-cgroupv1", flags.fail_v1, "refuse to run on cgroup v1")->expected(0, 1);
    app.add_option("--seccomp-default", flags.seccomp_default, "RuntimeDefault where a pod says nothing")
        ->expected(0, 1);
    app.add_option("--log-level", flags.log_level, "trace, debug, info, warn, error");
    app.add_option("--log-format,--logging-format", flags.log_format, "text or json");
    app.add_option("-v,--v", flags.verbosity, "2 and more is debug, 6 and more is trace");
    app.add_flag("--version", flags.version, "print the version");
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> out;
    std::string::size_type from = 0;
    while (from <= text.size()) {
        const size_t comma = std::min(text.find(',', from), text.size());
        if (comma > from) out.push_back(text.substr(from, comma - from));
        from = comma + 1;
    }
    return out;
}

template <class T>
void replace(T& value, const std::optional<T>& flag) {
    if (flag) value = *flag;
}

Status apply_flags(const Flags& flags, kube::KubeletConfig& c) {
    replace(c.runtime_endpoint, flags.runtime_endpoint);
    replace(c.image_endpoint, flags.image_endpoint);
    replace(c.static_pod_path, flags.manifests);
    replace(c.healthz_address, flags.healthz_address);
    replace(c.cluster_domain, flags.cluster_domain);
    replace(c.resolv_conf, flags.resolv_conf);
    replace(c.cgroup_root, flags.cgroup_root);
    replace(c.max_pods, flags.max_pods);
    replace(c.pod_pids_limit, flags.pids_limit);
    replace(c.fail_cgroup_v1, flags.fail_v1);
    replace(c.seccomp_default, flags.seccomp_default);
    if (flags.healthz_port) c.healthz_port = *flags.healthz_port;
    if (flags.cluster_dns) c.cluster_dns = split(*flags.cluster_dns);
    if (flags.timeout)
        c.runtime_timeout.value =
            TRY(kube::parse_duration(*flags.timeout).under("--runtime-request-timeout"));
    if (flags.cgroup_driver) {
        if (*flags.cgroup_driver == "systemd")
            c.cgroup_driver = kube::CgroupDriverName::Systemd;
        else if (*flags.cgroup_driver == "cgroupfs")
            c.cgroup_driver = kube::CgroupDriverName::Cgroupfs;
        else
            return Error::invalid("--cgroup-driver: '" + *flags.cgroup_driver +
                                  "' is none of cgroupfs, systemd");
    }
    return ok();
}

// Flags are held to the same rules as the file.
Status check(const Options& o) {
    const kube::KubeletConfig& c = o.config;
    const auto absolute = [](const std::string& name, const std::string& path) -> Status {
        if (!path.empty() && path.front() != '/')
            return Error::invalid(name + ": must be an absolute path, found '" + path + "'");
        return ok();
    };
    TRY(absolute("--root-dir", o.root_dir));
    TRY(absolute("--status-socket", o.status_socket));
    TRY(absolute("--pod-manifest-path", c.static_pod_path));
    TRY(absolute("--cgroup-root", c.cgroup_root));
    for (const std::string& endpoint : {c.runtime_endpoint, c.image_endpoint}) {
        if (!endpoint.empty() && !endpoint.starts_with("unix:///") && !endpoint.starts_with("/"))
            return Error::invalid("--container-runtime-endpoint: must be unix:///PATH, found '" + endpoint +
                                  "'");
    }
    if (c.healthz_port < 0 || c.healthz_port > 65535)
        return Error::invalid("--healthz-port: must be 0..65535");
    if (!kube::is_ip(c.healthz_address))
        return Error::invalid("--healthz-bind-address: '" + c.healthz_address + "' is not an IP address");
    if (!o.node_ip.empty() && !kube::is_ip(o.node_ip))
        return Error::invalid("--node-ip: '" + o.node_ip + "' is not an IP address");
    for (const std::string& dns : c.cluster_dns) {
        if (!kube::is_ip(dns)) return Error::invalid("--cluster-dns: '" + dns + "' is not an IP address");
    }
    if (!kube::is_dns_subdomain(o.node_name))
        return Error::invalid("the node's name '" + o.node_name +
                              "' is not a lower-case DNS name: give one by --hostname-override");
    return ok();
}

std::string host_name() {
    std::array<char, 256> text{};
    gethostname(text.data(), text.size() - 1);
    std::string out = text.data();
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

LogOptions log_options(const Flags& flags, const kube::LoggingConfig& logging) {
    LogOptions out;
    const int64_t verbosity = flags.verbosity != 0 ? flags.verbosity : logging.verbosity;
    out.level = verbosity >= 6 ? "trace" : verbosity >= 2 ? "debug" : "info";
    out.format = logging.format;
    replace(out.level, flags.log_level);
    replace(out.format, flags.log_format);
    return out;
}

Status finish(Options& options, const Flags& flags) {
    if (!options.config_file.empty()) {
        const std::string text = TRY(read_file(options.config_file, 1 << 20).under("--config"));
        auto read = kube::read_kubelet_config(text);
        if (!read) return std::move(read).error().under(options.config_file);
        options.config = std::move(read->config);
        for (const kube::Finding& finding : read->warnings)
            options.warnings.push_back(options.config_file + ": " + finding.text());
    }
    TRY(apply_flags(flags, options.config));
    options.node_name = flags.hostname.empty() ? host_name() : flags.hostname;
    options.log = log_options(flags, options.config.logging);
    return check(options);
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
    Options options;
    Flags flags;
    CLI::App app("The node agent of Orlop: runs the pods of a manifest folder through a CRI runtime.",
                 "orlop-agent");
    try {
        add_flags(app, options, flags);
        std::vector<std::string> ignored(kLater.size());
        for (size_t i = 0; i < kLater.size(); ++i)
            app.add_option(kLater[i], ignored[i], "is not acted on yet")->group("")->expected(0, 1);
        app.parse(argc, argv);
        for (const char* name : kLater) {
            if (app.count(name) != 0) options.warnings.push_back(std::string(name) + ": is not acted on yet");
        }
    } catch (const CLI::CallForHelp&) {
        return {std::nullopt, app.help(), 0};
    } catch (const CLI::ParseError& e) {
        std::string what = e.what();
        std::replace(what.begin(), what.end(), '\n', ' ');
        return {std::nullopt, "orlop-agent: " + what + "\n", 2};
    }
    if (flags.version) return {std::nullopt, "orlop-agent " ORLOP_VERSION "\n", 0};
    if (auto done = finish(options, flags); !done)
        return {std::nullopt, "orlop-agent: " + done.error().what() + "\n", 2};
    return {std::move(options), "", 0};
}

}  // namespace orlop::agent
