#include "images/registry/endpoint.h"

#include <algorithm>

#include "base/dir.h"
#include "images/registry/url.h"

namespace orlop::registry {

namespace {

constexpr size_t kMaxFile = 1u << 20;

std::string upstream_host(const std::string& domain) {
    return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

std::vector<std::string> directories_for(const std::string& domain) {
    std::vector<std::string> names;
    const size_t colon = domain.rfind(':');
    if (colon != std::string::npos && domain.back() != ']')
        names.push_back(domain.substr(0, colon) + "_" + domain.substr(colon + 1) + "_");
    names.push_back(domain);
    names.emplace_back("_default");
    return names;
}

Tls certificates_in(const Dir& dir, const std::vector<std::string>& names) {
    Tls tls;
    for (const std::string& name : names) {
        if (name.ends_with(".crt")) tls.ca_files.push_back(dir.path() + "/" + name);
        if (!name.ends_with(".cert") || !tls.client_cert.empty()) continue;
        const std::string key = name.substr(0, name.size() - 4) + "key";
        if (std::find(names.begin(), names.end(), key) == names.end()) continue;
        tls.client_cert = dir.path() + "/" + name;
        tls.client_key = dir.path() + "/" + key;
    }
    return tls;
}

}  // namespace

std::vector<Endpoint> default_endpoints(const std::string& domain) {
    const std::string host = upstream_host(domain);
    std::vector<Endpoint> out;
    const auto url = Url::parse("http://" + host);
    const bool own = url && url->is_loopback();
    if (own) out.push_back({.base = "http://" + host + "/v2"});
    out.push_back({.base = "https://" + host + "/v2", .otherwise = own});
    return out;
}

Result<std::vector<Endpoint>> configured_endpoints(const std::string& hosts_dir, const std::string& domain) {
    if (hosts_dir.empty()) return default_endpoints(domain);
    const auto root = Dir::open(hosts_dir);
    if (!root && root.error().kind() == Kind::NotFound) return default_endpoints(domain);
    if (!root) return root.error();
    for (const std::string& name : directories_for(domain)) {
        const auto dir = Dir::open(hosts_dir + "/" + name);
        if (!dir && dir.error().kind() == Kind::NotFound) continue;
        if (!dir) return dir.error();
        const auto text = dir->read("hosts.toml", kMaxFile);
        const std::string file = dir->path() + "/hosts.toml";
        if (text) return parse_hosts_toml(*text, domain, dir->path()).under(file);
        if (text.error().kind() != Kind::NotFound) return Error(text.error()).under(file);
        const Tls tls = certificates_in(*dir, TRY(dir->list()));
        if (tls == Tls()) continue;
        return std::vector<Endpoint>{{.base = "https://" + upstream_host(domain) + "/v2", .tls = tls}};
    }
    return default_endpoints(domain);
}

}  // namespace orlop::registry
