#include "images/registry/endpoint.h"

#include "images/registry/url.h"

namespace orlop::registry {

std::vector<Endpoint> default_endpoints(const std::string& domain) {
    const std::string host = domain == "docker.io" ? "registry-1.docker.io" : domain;
    std::vector<Endpoint> out;
    const auto url = Url::parse("http://" + host);
    if (url && url->is_loopback()) out.push_back({.base = "http://" + host + "/v2"});
    out.push_back({.base = "https://" + host + "/v2"});
    return out;
}

}  // namespace orlop::registry
