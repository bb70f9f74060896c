// Names and addresses: DNS, host name, hosts file.
#include <algorithm>
#include <sstream>

#include "agent/decide/plan.h"

namespace orlop::agent {

namespace {

constexpr size_t kMaxServers = 3;
constexpr size_t kMaxSearches = 32;
constexpr size_t kMaxSearchChars = 2048;

void add_unique(std::vector<std::string>& list, const std::vector<std::string>& more) {
    for (const std::string& each : more) {
        if (!each.empty() && std::find(list.begin(), list.end(), each) == list.end()) list.push_back(each);
    }
}

std::string option_name(const std::string& option) {
    return option.substr(0, option.find(':'));
}

// An option that the pod gives replaces the one of the same name.
void merge_options(std::vector<std::string>& list, const std::vector<kube::DnsOption>& options) {
    for (const kube::DnsOption& each : options) {
        const std::string text = each.value ? each.name + ":" + *each.value : each.name;
        const auto same = [&](const std::string& old) { return option_name(old) == each.name; };
        list.erase(std::remove_if(list.begin(), list.end(), same), list.end());
        list.push_back(text);
    }
}

void limit(Resolver& out) {
    if (out.servers.size() > kMaxServers) out.servers.resize(kMaxServers);
    if (out.searches.size() > kMaxSearches) out.searches.resize(kMaxSearches);
    size_t chars = 0;
    for (size_t i = 0; i < out.searches.size(); ++i) {
        chars += out.searches[i].size() + (i == 0 ? 0 : 1);
        if (chars <= kMaxSearchChars) continue;
        out.searches.resize(i);
        return;
    }
}

Resolver cluster_resolver(const kube::Pod& pod, const NodeFacts& node) {
    Resolver out;
    out.servers = node.cluster_dns;
    if (!node.cluster_domain.empty()) {
        out.searches = {pod.meta.ns + ".svc." + node.cluster_domain, "svc." + node.cluster_domain,
                        node.cluster_domain};
    }
    add_unique(out.searches, node.host_resolver.searches);
    out.options = {"ndots:5"};
    return out;
}

}  // namespace

Resolver parse_resolv_conf(const std::string& text) {
    Resolver out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string keyword;
        words >> keyword;
        std::vector<std::string> rest;
        for (std::string word; words >> word && word[0] != '#' && word[0] != ';';) rest.push_back(word);
        if (keyword == "nameserver" && !rest.empty()) out.servers.push_back(rest[0]);
        if (keyword == "search" || keyword == "domain") out.searches = rest;
        if (keyword == "options") out.options = rest;
    }
    return out;
}

Resolver pod_resolver(const kube::Pod& pod, const NodeFacts& node) {
    Resolver out;
    const bool cluster = pod.spec.dns_policy == kube::DnsPolicy::ClusterFirstWithHostNet ||
                         (pod.spec.dns_policy == kube::DnsPolicy::ClusterFirst && !pod.spec.host_network);
    // Without a cluster's DNS server ClusterFirst means the node's.
    if (cluster && !node.cluster_dns.empty())
        out = cluster_resolver(pod, node);
    else if (pod.spec.dns_policy != kube::DnsPolicy::None)
        out = node.host_resolver;
    if (pod.spec.dns_config) {
        add_unique(out.servers, pod.spec.dns_config->nameservers);
        add_unique(out.searches, pod.spec.dns_config->searches);
        merge_options(out.options, pod.spec.dns_config->options);
    }
    limit(out);
    return out;
}

std::string pod_hostname(const kube::Pod& pod, const NodeFacts& node) {
    if (pod.spec.host_network) return node.node_name;
    std::string out = pod.spec.hostname.empty() ? pod.meta.name : pod.spec.hostname;
    if (out.size() > 63) out.resize(63);
    while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
    return out;
}

std::string hosts_file(const kube::Pod& pod, const NodeFacts& node, const std::vector<std::string>& ips,
                       const std::string& host_file) {
    std::string out;
    if (pod.spec.host_network) {
        out = "# Kubernetes-managed hosts file (host network).\n" + host_file;
        if (!out.ends_with('\n')) out += '\n';
    } else {
        out =
            "# Kubernetes-managed hosts file.\n"
            "127.0.0.1\tlocalhost\n"
            "::1\tlocalhost ip6-localhost ip6-loopback\n"
            "fe00::0\tip6-localnet\n"
            "fe00::0\tip6-mcastprefix\n"
            "fe00::1\tip6-allnodes\n"
            "fe00::2\tip6-allrouters\n";
        for (const std::string& ip : ips) out += ip + "\t" + pod_hostname(pod, node) + "\n";
    }
    if (pod.spec.host_aliases.empty()) return out;
    out += "\n# Entries added by HostAliases.\n";
    for (const kube::HostAlias& alias : pod.spec.host_aliases) {
        if (alias.hostnames.empty()) continue;
        out += alias.ip;
        for (const std::string& name : alias.hostnames) out += "\t" + name;
        out += "\n";
    }
    return out;
}

}  // namespace orlop::agent
