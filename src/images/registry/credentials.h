// Credentials from the files of docker (config.json) and podman (containers-auth.json(5)), and from the
// helper programs that they name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/registry/authorizer.h"

namespace orlop::registry {

// What such a file says about a registry: the credentials, or which helper to ask for them.
struct FileEntry {
    Credentials credentials;
    std::string helper;      // docker-credential-<helper>; "" = none
    std::string helper_key;  // what to ask it for
};

// Pure. `names` are the keys that may be meant, the best first (key_names). An entry without anything if the
// file has none of them.
Result<FileEntry> parse_auth_file(std::string_view json, const std::vector<std::string>& names);

// The keys for an endpoint: for the registry itself also those of the repository and its namespaces.
std::vector<std::string> key_names(const Endpoint& endpoint, const std::string& domain,
                                   const std::string& path);

// From the first of `files` that has some; files that are not there are passed over.
Result<Credentials> credentials_from(const std::vector<std::string>& files,
                                     const std::vector<std::string>& names);

// "dXNlcjpwYXNz" of an auth field.
Result<Credentials> decode_auth(const std::string& base64);

}  // namespace orlop::registry
