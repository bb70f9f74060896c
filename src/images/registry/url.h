// URLs of registries (RFC 3986), by libcurl's parser, which is also the one that connects.
#pragma once

#include <string>

#include "base/result.h"

namespace orlop::registry {

struct Url {
    std::string scheme;  // "http" or "https"
    std::string host;    // lower case; IPv6 in brackets
    std::string port;    // always given
    std::string path;    // from "/" on
    std::string query;   // without "?"

    // Refuses other schemes, user names and passwords.
    static Result<Url> parse(const std::string& text);
    // What `location` means on a page of this URL.
    Result<Url> join(const std::string& location) const;

    std::string str() const;
    // scheme://host:port: what may share credentials.
    std::string origin() const { return scheme + "://" + host + ":" + port; }
    std::string authority() const { return host + ":" + port; }
    bool plain() const { return scheme == "http"; }
    // localhost, 127.0.0.0/8, [::1].
    bool is_loopback() const;
};

bool is_loopback_host(const std::string& host);
// For query strings and forms.
std::string percent_encode(const std::string& text);

}  // namespace orlop::registry
