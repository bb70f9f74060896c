// Where the images of a registry may be had: mirrors first, the registry itself last.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "images/registry/http.h"

namespace orlop::registry {

struct Endpoint {
    std::string base;  // "https://host:port/v2", without a slash at the end
    bool pull = true;
    bool resolve = true;                                       // may say what a tag means
    bool mirror = false;                                       // is told of which registry by ?ns=
    std::vector<std::pair<std::string, std::string>> headers;  // sent with every request to it
    Tls tls;
    Nanos dial_timeout = std::chrono::seconds(30);
};

// Of a registry that nothing is configured for: https; for this machine's own http first, then https.
// "docker.io" is reached at registry-1.docker.io.
std::vector<Endpoint> default_endpoints(const std::string& domain);

}  // namespace orlop::registry
