#include "runtime/core/config.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/dir.h"

namespace orlop::core {

namespace {

constexpr const char* kDefaultFile = "/etc/orlop/runtime.toml";

// What was given on the command line; empty = not given.
struct Flags {
    std::string config, listen, root, state, netns_dir, cni_conf_dir, cni_cache_dir, registry, driver, shim,
        level, format;
    std::vector<std::string> cni_bin_dirs;
    bool version = false;
};

void define(CLI::App& app, Flags& flags) {
    app.set_help_flag("--help", "Print this");
    app.add_option("--config", flags.config,
                   "Settings in TOML (default " + std::string(kDefaultFile) + ", if it exists)");
    app.add_option("--listen", flags.listen, "Socket of the CRI (default /run/orlop/runtime.sock)");
    app.add_option("--root", flags.root, "Images, records, container layers (default /var/lib/orlop)");
    app.add_option("--state", flags.state, "What a reboot may take (default /run/orlop)");
    app.add_option("--netns-dir", flags.netns_dir, "Network namespaces (default /run/netns)");
    app.add_option("--cni-conf-dir", flags.cni_conf_dir, "CNI configurations (default /etc/cni/net.d)");
    app.add_option("--cni-bin-dir", flags.cni_bin_dirs, "CNI plugins; repeatable or separated by colons")
        ->delimiter(':')
        ->allow_extra_args(false);
    app.add_option("--cni-cache-dir", flags.cni_cache_dir, "CNI results (default /var/lib/cni)");
    app.add_option("--registry-config-dir", flags.registry,
                   "hosts.toml directories (default /etc/orlop/certs.d)");
    app.add_option("--cgroup-driver", flags.driver,
                   "systemd or cgroupfs (default: systemd where it is PID 1)")
        ->check(CLI::IsMember({"systemd", "cgroupfs"}));
    app.add_option("--shim", flags.shim, "Path of orlop-shim (default: beside this program)");
    app.add_option("--log-level", flags.level, "trace, debug, info, warn, error")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
    app.add_option("--log-format", flags.format, "text or json")->check(CLI::IsMember({"text", "json"}));
    app.add_flag("--version", flags.version, "Print the version");
}

void over(std::string& setting, const std::string& flag) {
    if (!flag.empty()) setting = flag;
}

void apply_flags(Config& config, const Flags& flags) {
    over(config.listen, flags.listen);
    over(config.paths.root, flags.root);
    over(config.paths.state, flags.state);
    over(config.paths.netns_dir, flags.netns_dir);
    over(config.cni.conf_dir, flags.cni_conf_dir);
    over(config.cni.cache_dir, flags.cni_cache_dir);
    over(config.registry_config_dir, flags.registry);
    over(config.cgroup_driver, flags.driver);
    over(config.shim, flags.shim);
    over(config.log.level, flags.level);
    over(config.log.format, flags.format);
    if (!flags.cni_bin_dirs.empty()) config.cni.bin_dirs = flags.cni_bin_dirs;
}

Status finish(Config& config) {
    const std::string scheme = "unix://";
    if (config.listen.starts_with(scheme)) config.listen = config.listen.substr(scheme.size());
    const std::pair<const char*, const std::string*> absolute[] = {{"listen", &config.listen},
                                                                   {"root", &config.paths.root},
                                                                   {"state", &config.paths.state},
                                                                   {"netns-dir", &config.paths.netns_dir},
                                                                   {"cni-conf-dir", &config.cni.conf_dir},
                                                                   {"cni-cache-dir", &config.cni.cache_dir}};
    for (const auto& [name, path] : absolute) {
        if (!path->starts_with('/')) {
            return Error::invalid(std::string(name) + " \"" + *path + "\" is not an absolute path");
        }
    }
    if (config.streaming.tls_certificate.empty() != config.streaming.tls_key.empty())
        return Error::invalid("streaming.tls_certificate and streaming.tls_key go together");
    // unix(7): the address holds 108 bytes with its end.
    if (config.listen.size() > 107)
        return Error::invalid("listen \"" + config.listen + "\" is longer than 107 bytes");
    return ok();
}

std::string first_line(std::string text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, const char* const* argv) {
    Flags flags;
    CLI::App app("The Orlop container runtime: Kubernetes' CRI on a unix socket.", "orlop-runtime");
    define(app, flags);
    CommandLine line;
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        line.done = true;
        line.output = app.help();
        return line;
    } catch (const CLI::Error& e) {
        return Error::invalid(first_line(e.what()));
    }
    if (flags.version) {
        line.done = true;
        line.output = "orlop-runtime " ORLOP_VERSION "\n";
        return line;
    }
    const std::string file = flags.config.empty() ? kDefaultFile : flags.config;
    auto text = read_file(file);
    if (text) {
        TRY(apply_toml(line.config, file, *text));
    } else if (!flags.config.empty() || text.error().errnum() != ENOENT) {
        return Error::invalid("--config: " + text.error().what());
    }
    apply_flags(line.config, flags);
    TRY(finish(line.config));
    return line;
}

std::string config_json(const Config& c) {
    const nlohmann::json out = {
        {"listen", c.listen},
        {"root", c.paths.root},
        {"state", c.paths.state},
        {"netns_dir", c.paths.netns_dir},
        {"registry_config_dir", c.registry_config_dir},
        {"cgroup_driver", c.cgroup_driver},
        {"shim", c.shim},
        {"pids_limit", c.pids_limit},
        {"default_ulimits", c.default_ulimits},
        {"default_sysctls", c.default_sysctls},
        {"cni", {{"conf_dir", c.cni.conf_dir}, {"bin_dirs", c.cni.bin_dirs}, {"cache_dir", c.cni.cache_dir}}},
        {"images",
         {{"auth_files", c.images.auth_files},
          {"policy", c.images.policy},
          {"layers_at_once", c.images.layers_at_once},
          {"progress_timeout", c.images.progress_timeout},
          {"pinned", c.images.pinned}}},
        {"streaming",
         {{"address", c.streaming.address},
          {"port", c.streaming.port},
          {"tls_certificate", c.streaming.tls_certificate},
          {"tls_key", c.streaming.tls_key}}},
        {"log", {{"level", c.log.level}, {"format", c.log.format}}}};
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace orlop::core
