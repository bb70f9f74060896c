// Where the images of a registry may be had: mirrors first, the registry itself last.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "images/registry/http.h"

namespace orlop::registry {

struct Endpoint {
    std::string base;  // "https://host:port/v2", without a slash at the end
    bool pull = true;
    bool resolve = true;  // may say what a tag means
    bool mirror = false;  // is told of which registry by ?ns=
    // Only if the one before it does not speak HTTP, or answers 400, as TLS servers do.
    bool otherwise = false;
    std::vector<std::pair<std::string, std::string>> headers;  // sent with every request to it
    Tls tls;
    Nanos dial_timeout = std::chrono::seconds(30);
};

// Of a registry that nothing is configured for: https; for this machine's own http first, then https.
// "docker.io" is reached at registry-1.docker.io.
std::vector<Endpoint> default_endpoints(const std::string& domain);

// As configured below `hosts_dir` (read now), in containerd's format
// (containerd docs/hosts.md): the first of <host>_<port>_/, <host>:<port>/ and _default/ that has a
// hosts.toml or, as Docker has it, certificates (*.crt; *.cert with *.key).
Result<std::vector<Endpoint>> configured_endpoints(const std::string& hosts_dir, const std::string& domain);

// Pure. `dir` is what the paths of certificates are relative to. Unknown keys are errors.
Result<std::vector<Endpoint>> parse_hosts_toml(std::string_view text, const std::string& domain,
                                               const std::string& dir);

}  // namespace orlop::registry
