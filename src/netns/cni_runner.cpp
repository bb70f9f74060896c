// ADD and DEL of a whole network (CNI SPEC 1.1.0 section 3).
#include "netns/cni.h"
#include "netns/cni_args.h"
#include "netns/cni_cache.h"
#include "netns/cni_exec.h"
#include "netns/cni_json.h"
#include "netns/cni_names.h"
#include "netns/cni_result.h"

namespace orlop::netns {

namespace {

Status check_attachment(const Attachment& attachment) {
    TRY(check_container_id(attachment.container_id));
    TRY(check_ifname(attachment.ifname));
    if (attachment.netns.find('\0') != std::string::npos) return Error::invalid("the netns path has a NUL");
    return ok();
}

// NetworkConfig is a plain struct: one that did not come from parse_network is checked here.
Status check_network(const NetworkConfig& network) {
    TRY(check_network_name(network.name));
    if (!cni_version_rank(network.cni_version))
        return Error::invalid("CNI version \"" + network.cni_version + "\" is not supported");
    if (network.plugins.empty() || network.plugins.size() != network.plugin_types.size())
        return Error::invalid("the CNI network has no plugins");
    for (const std::string& type : network.plugin_types) TRY(check_plugin_type(type));
    return ok();
}

void join(std::optional<Error>& all, Error next) {
    all = all ? std::move(*all).also(next) : std::move(next);
}

std::string title(const CachedAttachment& target) {
    return "CNI network \"" + target.network.name + "\"";
}

class ExecRunner final : public CniRunner {
  public:
    ExecRunner(CniPaths paths, Nanos timeout)
        : paths_(std::move(paths)), timeout_(timeout), cache_(paths_.cache_dir) {}

    Result<CniResult> add(const NetworkConfig& network, const Attachment& attachment) override;
    Status del(const std::optional<NetworkConfig>& network, const Attachment& attachment) override;
    Result<std::vector<std::string>> cached_containers() const override { return cache_.containers(); }
    Status check_binaries(const NetworkConfig& network) const override;

  private:
    Result<CniResult> add_all(CachedAttachment& target, size_t& begun) const;
    Result<std::string> run(const CachedAttachment& target, size_t plugin, const std::string& command) const;
    Status del_plugins(const CachedAttachment& target, size_t count) const;
    Status undo_add(const CachedAttachment& target, size_t begun) const;
    Status del_cached(const CniCache::Entry& entry, const std::optional<NetworkConfig>& network,
                      const Attachment& attachment) const;

    CniPaths paths_;
    Nanos timeout_;
    CniCache cache_;
};

Result<CachedAttachment> new_target(const NetworkConfig& network, const Attachment& attachment) {
    TRY(check_network(network));
    CachedAttachment target;
    target.container_id = attachment.container_id;
    target.ifname = attachment.ifname;
    target.netns = attachment.netns;
    target.network = network;
    target.args = TRY(cni_args(attachment));
    target.capability_args = TRY(capability_args(attachment));
    return target;
}

// The plugin's stdout. On a DEL, "container unknown" is what was wanted.
Result<std::string> ExecRunner::run(const CachedAttachment& target, size_t plugin,
                                    const std::string& command) const {
    PluginRun request;
    request.type = target.network.plugin_types[plugin];
    request.command = command;
    request.container_id = target.container_id;
    request.netns = target.netns;
    request.ifname = target.ifname;
    request.args = cni_args_text(target.args);
    const bool gets_result = command == "ADD" || cni_version_at_least(target.network.cni_version, "0.4.0");
    request.input = TRY(
        plugin_input(target.network, plugin, target.capability_args, gets_result ? target.result : Json()));
    const std::string who = "CNI plugin \"" + request.type + "\" (" + command + ")";
    PluginAnswer answer = TRY(run_plugin(paths_.bin_dirs, request, timeout_).under(who));
    if (!answer.failed || (command == "DEL" && answer.code == kCodeUnknownContainer))
        return std::move(answer.out);
    return Error(kind_of_code(answer.code), who + " failed: " + answer.complaint);
}

// `begun` counts the plugins that may have left something behind.
Result<CniResult> ExecRunner::add_all(CachedAttachment& target, size_t& begun) const {
    std::string last;
    while (begun < target.network.plugins.size()) {
        const size_t plugin = begun;
        TRY(find_plugin(paths_.bin_dirs, target.network.plugin_types[plugin]));
        ++begun;
        last = TRY(run(target, plugin, "ADD"));
        target.result = TRY(parse_result(last, target.network.cni_version)
                                .under("CNI plugin \"" + target.network.plugin_types[plugin] + "\" (ADD)"));
    }
    CniResult result{TRY(result_ips(target.result, target.ifname)), std::move(last)};
    target.result = convert_result(std::move(target.result), target.network.cni_version);
    TRY(cache_.save(target));
    return result;
}

// Every plugin gets its DEL even if another one's fails: nobody comes back for an attachment that never was.
Status ExecRunner::undo_add(const CachedAttachment& target, size_t begun) const {
    std::optional<Error> failed;
    for (size_t plugin = begun; plugin-- > 0;) {
        if (auto r = run(target, plugin, "DEL"); !r) join(failed, std::move(r).error());
    }
    return failed ? Status(std::move(*failed)) : ok();
}

Result<CniResult> ExecRunner::add(const NetworkConfig& network, const Attachment& attachment) {
    TRY(check_attachment(attachment));
    if (attachment.netns.empty()) return Error::invalid("CNI ADD needs a network namespace");
    CachedAttachment target = TRY(new_target(network, attachment));
    size_t begun = 0;
    auto added = add_all(target, begun);
    if (added) return added;
    Error error = std::move(added).error();
    if (auto undone = undo_add(target, begun); !undone) error = std::move(error).also(undone.error());
    return std::move(error).under(title(target));
}

// Stops at the first error, as the spec wants; the cached record stays for the next try.
Status ExecRunner::del_plugins(const CachedAttachment& target, size_t count) const {
    for (size_t plugin = count; plugin-- > 0;) TRY(run(target, plugin, "DEL").under(title(target)));
    return ok();
}

Status ExecRunner::del_cached(const CniCache::Entry& entry, const std::optional<NetworkConfig>& network,
                              const Attachment& attachment) const {
    if (!entry.attachment && !network) return entry.attachment.error();
    CachedAttachment target = entry.attachment ? *entry.attachment : TRY(new_target(*network, attachment));
    target.netns = attachment.netns;
    if (target.args.empty()) target.args = TRY(cni_args(attachment));
    TRY(del_plugins(target, target.network.plugins.size()));
    return cache_.remove(entry.file);
}

Status ExecRunner::del(const std::optional<NetworkConfig>& network, const Attachment& attachment) {
    TRY(check_attachment(attachment));
    const auto entries = TRY(cache_.find(attachment.container_id, attachment.ifname));
    std::optional<Error> failed;
    for (const CniCache::Entry& entry : entries) {
        if (auto r = del_cached(entry, network, attachment); !r) join(failed, std::move(r).error());
    }
    if (failed) return std::move(*failed);
    if (!entries.empty() || !network) return ok();
    const CachedAttachment target = TRY(new_target(*network, attachment));
    return del_plugins(target, target.network.plugins.size());
}

Status ExecRunner::check_binaries(const NetworkConfig& network) const {
    std::vector<std::string> types = network.plugin_types;
    for (const std::string& plugin : network.plugins) {
        const Json json = TRY(parse_json_object(plugin));
        const auto ipam = json.find("ipam");
        const std::string type = ipam != json.end() && ipam->is_object() ? string_member(*ipam, "type") : "";
        if (!type.empty()) types.push_back(type);
    }
    std::optional<Error> missing;
    for (const std::string& type : types) {
        if (auto r = find_plugin(paths_.bin_dirs, type); !r) join(missing, std::move(r).error());
    }
    return missing ? Status(std::move(*missing).under("CNI network \"" + network.name + "\"")) : ok();
}

}  // namespace

std::unique_ptr<CniRunner> make_cni_runner(CniPaths paths, Nanos timeout) {
    return std::make_unique<ExecRunner>(std::move(paths), timeout);
}

}  // namespace orlop::netns
