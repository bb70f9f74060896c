#include "cli/daemons.h"

#include <nlohmann/json.hpp>

#include "cli/json_get.h"

namespace orlop::cli {

namespace {

constexpr int kKubeletHealthzPort = 10248;

void add(std::vector<std::string>& argv, const std::string& flag, const std::string& value) {
    if (!value.empty()) argv.insert(argv.end(), {flag, value});
}

// systemd-run(1) expands $NAME in arguments; "$$" is a "$".
std::string escaped(const std::string& argument) {
    std::string out;
    for (const char c : argument) out += c == '$' ? "$$" : std::string(1, c);
    return out;
}

}  // namespace

DaemonSpec runtime_daemon(const NodePaths& paths, const NodeOptions& options) {
    DaemonSpec out{"runtime", {options.bin_dir + "/orlop-runtime"}};
    add(out.argv, "--listen", paths.runtime_socket);
    add(out.argv, "--root", paths.state);
    add(out.argv, "--state", paths.run);
    add(out.argv, "--cni-conf-dir", options.cni_conf);
    add(out.argv, "--cni-bin-dir", options.cni_bin_dir);
    add(out.argv, "--cni-cache-dir", paths.cni_cache);
    add(out.argv, "--cgroup-driver", options.cgroup_driver);
    add(out.argv, "--shim", options.bin_dir + "/orlop-shim");
    return out;
}

DaemonSpec agent_daemon(const NodePaths& paths, const NodeOptions& options) {
    DaemonSpec out{"agent", {options.bin_dir + "/orlop-agent"}, paths.runtime_socket};
    add(out.argv, "--config", paths.in_run("kubelet.yaml"));
    add(out.argv, "--container-runtime-endpoint", "unix://" + paths.runtime_socket);
    add(out.argv, "--root-dir", paths.agent_root);
    add(out.argv, "--pod-manifest-path", options.manifests);
    add(out.argv, "--status-socket", paths.agent_socket);
    add(out.argv, "--cgroup-driver", options.cgroup_driver);
    return out;
}

std::string agent_config(const NodePaths& paths, const NodeOptions& options) {
    int port = options.healthz_port;
    if (port < 0) port = paths.is_default() ? kKubeletHealthzPort : 0;
    // JSON is YAML, and quotes what has to be quoted.
    const nlohmann::ordered_json config = {{"apiVersion", "kubelet.config.k8s.io/v1beta1"},
                                           {"kind", "KubeletConfiguration"},
                                           {"podLogsDir", paths.pod_logs},
                                           {"healthzPort", port}};
    return config.dump(2) + "\n";
}

std::string node_options_json(const NodeOptions& options) {
    const nlohmann::json out = {{"binDir", options.bin_dir},
                                {"cniBinDir", options.cni_bin_dir},
                                {"cgroupDriver", options.cgroup_driver},
                                {"manifests", options.manifests},
                                {"cniConfDir", options.cni_conf},
                                {"healthzPort", options.healthz_port}};
    return out.dump(2) + "\n";
}

Result<NodeOptions> parse_node_options(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return Error::invalid("node.json is no JSON object");
    NodeOptions out;
    out.bin_dir = json_string(json, "/binDir");
    out.cni_bin_dir = json_string(json, "/cniBinDir");
    out.cgroup_driver = json_string(json, "/cgroupDriver");
    out.manifests = json_string(json, "/manifests");
    out.cni_conf = json_string(json, "/cniConfDir");
    out.healthz_port = static_cast<int>(json_int(json, "/healthzPort"));
    if (out.bin_dir.empty()) return Error::invalid("node.json has no binDir");
    return out;
}

std::string unit_name(const NodePaths& paths, std::string_view daemon) {
    return paths.name + "-" + std::string(daemon) + ".service";
}

std::vector<std::string> systemd_run(const NodePaths& paths, const DaemonSpec& daemon) {
    std::vector<std::string> out = {"systemd-run", "--quiet", "--collect",
                                    "--unit=" + unit_name(paths, daemon.name),
                                    "--description=Orlop node " + paths.name + ": " + daemon.name};
    // Each as in systemd/orlop-*.service, where the reasons are.
    for (const char* property :
         {"Type=notify", "Delegate=yes", "KillMode=process", "Restart=always", "RestartSec=1",
          "OOMScoreAdjust=-999", "LimitNOFILE=1048576", "TasksMax=infinity"})
        out.insert(out.end(), {"-p", property});
    if (daemon.name == "agent") {
        const std::string runtime = unit_name(paths, "runtime");
        out.insert(out.end(), {"-p", "After=" + runtime, "-p", "Wants=" + runtime});
    }
    out.emplace_back("--");
    for (const std::string& argument : daemon.argv) out.push_back(escaped(argument));
    return out;
}

}  // namespace orlop::cli
