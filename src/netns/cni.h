// CNI: configurations, the runtime's side of the plugin protocol, and its result cache.
// Facts: CNI SPEC 1.1.0 and libcni's cache format.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::netns {

struct CniPaths {
    std::string conf_dir = "/etc/cni/net.d";
    std::vector<std::string> bin_dirs = {"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"};
    std::string cache_dir = "/var/lib/cni";  // results/ below it
};

// One network: a list of plugins in order, each verbatim JSON.
struct NetworkConfig {
    std::string file;  // where it was read from
    std::string name;
    std::string cni_version;
    bool disable_check = false;
    std::vector<std::string> plugins;  // JSON objects
    std::vector<std::string> plugin_types;
};

// Parses one conflist (or up-converts one .conf). Pure. Errors name the field.
Result<NetworkConfig> parse_network(const std::string& file, const std::string& json);

// The first valid one in lexical order of *.conf, *.conflist, *.json. Broken ones before it are listed in
// `skipped`
// ("file: reason"). No valid one: NotFound with a sentence that names the directory and the reasons.
struct LoadResult {
    NetworkConfig network;
    std::vector<std::string> skipped;
};
Result<LoadResult> load_networks(const std::string& conf_dir);

struct PortMapping {
    int32_t container_port = 0, host_port = 0;
    std::string protocol = "tcp", host_ip;
};

struct DnsConfig {
    std::vector<std::string> servers, searches, options;
};

struct Attachment {
    std::string container_id;  // the sandbox's id
    std::string netns;         // path; may be "" for del
    std::string ifname = "eth0";
    std::string pod_namespace, pod_name, pod_uid;
    std::vector<PortMapping> ports;
    std::map<std::string, std::string> annotations;
    DnsConfig dns;            // for plugins that declare the capability "dns"
    std::string cgroup_path;  // of the pod; for plugins that declare "cgroupPath"
};

struct CniResult {
    std::vector<std::string> ips;  // of eth0 without prefix length, in the result's order
    std::string json;              // the last plugin's result, verbatim
};

// Running plugins is the outside world. Safe from several threads for different attachments.
class CniRunner {
  public:
    virtual ~CniRunner() = default;
    // ADD in order; on failure DELs what was added (each error kept) and says which plugin failed with its
    // code, msg and details.
    virtual Result<CniResult> add(const NetworkConfig& network, const Attachment& attachment) = 0;
    // DEL in reverse with the cached result and the cached configuration (which may differ from today's);
    // idempotent; `network` empty = only the cache decides; nothing cached and no network = ok.
    virtual Status del(const std::optional<NetworkConfig>& network, const Attachment& attachment) = 0;
    // Sandbox ids that the cache still knows for the network: for garbage collection.
    virtual Result<std::vector<std::string>> cached_containers() const = 0;
    // Is every plugin binary of the network there? NotFound naming the missing ones and the directories
    // searched.
    virtual Status check_binaries(const NetworkConfig& network) const = 0;
};

// Each plugin run has `timeout`; at it the plugin's process group is killed.
std::unique_ptr<CniRunner> make_cni_runner(CniPaths paths, Nanos timeout = std::chrono::seconds(60));

}  // namespace orlop::netns
