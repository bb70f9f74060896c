#include "images/registry/credentials.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/base64.h"
#include "base/dir.h"
#include "base/spawn.h"
#include "images/json_fields.h"
#include "images/registry/url.h"

namespace orlop::registry {

using nlohmann::json;

namespace {

constexpr Nanos kHelperTime = std::chrono::seconds(30);
constexpr const char* kTokenUser = "<token>";  // docker's credential helpers: the secret is an identity token

// "https://index.docker.io/v1/" and "index.docker.io" are one key.
std::string bare(std::string key) {
    for (const char* scheme : {"https://", "http://"}) {
        if (key.starts_with(scheme)) key.erase(0, std::string(scheme).size());
    }
    while (key.ends_with('/')) key.pop_back();
    for (const char* version : {"/v1", "/v2"}) {
        if (key.ends_with(version)) key.resize(key.size() - 3);
    }
    return key;
}

Result<Credentials> entry_credentials(const json& entry) {
    Credentials out;
    if (!entry.is_object()) return Error::invalid("is not an object");
    if (const std::string auth = TRY(images::string_field(entry, "auth")); !auth.empty())
        out = TRY(decode_auth(auth));
    if (out.username.empty()) {
        out.username = TRY(images::string_field(entry, "username"));
        out.password = TRY(images::string_field(entry, "password"));
    }
    out.identity_token = TRY(images::string_field(entry, "identitytoken"));
    out.registry_token = TRY(images::string_field(entry, "registrytoken"));
    return out;
}

// The program by PATH, as docker looks for it.
Result<std::string> find_helper(const std::string& name) {
    const auto good = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), good))
        return Error::invalid("\"" + name + "\" is not the name of a credential helper");
    const char* path = getenv("PATH");
    std::string list = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    for (size_t from = 0; from <= list.size();) {
        const size_t end = std::min(list.find(':', from), list.size());
        const std::string file = list.substr(from, end - from) + "/docker-credential-" + name;
        if (file.starts_with('/') && access(file.c_str(), X_OK) == 0) return file;
        from = end + 1;
    }
    return Error::precondition("there is no credential helper docker-credential-" + name);
}

// https://github.com/docker/docker-credential-helpers: "get" with the server on stdin.
Result<Credentials> ask_helper(const std::string& name, const std::string& key) {
    const std::string program = TRY(find_helper(name));
    const SpawnSpec spec{.argv = {program, "get"}, .env = current_env(), .fds = {}};
    const CommandResult result = TRY(run_command(spec, key + "\n", kHelperTime).under(program));
    if (!result.succeeded()) {
        if (result.out.find("credentials not found") != std::string::npos) return Credentials();
        return Error::precondition(program + " failed (" + std::to_string(result.exit_code()) + ")");
    }
    const json answer = TRY(images::parse_json(result.out).under(program));
    Credentials out;
    out.username = TRY(images::string_field(answer, "Username").under(program));
    const std::string secret = TRY(images::string_field(answer, "Secret").under(program));
    if (out.username == kTokenUser) return Credentials{"", "", secret, ""};
    out.password = secret;
    return out;
}

}  // namespace

Result<Credentials> decode_auth(const std::string& base64) {
    auto text = base64_decode(base64);
    // The text may have a value that must not be shown.
    if (!text) return Error::invalid("\"auth\" is not base64");
    while (text->ends_with('\0')) text->pop_back();
    const size_t colon = text->find(':');
    if (colon == std::string::npos) return Error::invalid("\"auth\" is not user:password");
    return Credentials{text->substr(0, colon), text->substr(colon + 1), "", ""};
}

std::vector<std::string> key_names(const Endpoint& endpoint, const std::string& domain,
                                   const std::string& path) {
    std::vector<std::string> names;
    if (!endpoint.mirror) {
        for (std::string at = path; !at.empty();) {
            names.push_back(domain + "/" + at);
            const size_t slash = at.rfind('/');
            at.resize(slash == std::string::npos ? 0 : slash);
        }
        names.push_back(domain);
        if (domain == "docker.io") names.insert(names.end(), {"index.docker.io", "registry-1.docker.io"});
        return names;
    }
    const auto url = Url::parse(endpoint.base);
    if (!url) return names;
    names.push_back(url->authority());
    if (url->port == (url->plain() ? "80" : "443")) names.push_back(url->host);
    return names;
}

Result<FileEntry> parse_auth_file(std::string_view text, const std::vector<std::string>& names) {
    const json file = TRY(images::parse_json(text));
    if (!file.is_object()) return Error::invalid("not a JSON object");
    const auto helpers = TRY(images::map_field(file, "credHelpers"));
    const std::string store = TRY(images::string_field(file, "credsStore"));
    const json* auths = images::find_field(file, "auths");
    if (auths != nullptr && !auths->is_object()) return Error::invalid("\"auths\" is not an object");
    for (const std::string& name : names) {
        for (const auto& [key, helper] : helpers) {
            if (bare(key) == name) return FileEntry{{}, helper, key};
        }
        if (auths == nullptr) continue;
        for (const auto& [key, entry] : auths->items()) {
            if (bare(key) != name) continue;
            auto credentials = TRY(entry_credentials(entry).under("auths \"" + key + "\""));
            if (!credentials.empty()) return FileEntry{std::move(credentials), "", ""};
            if (!store.empty()) return FileEntry{{}, store, key};
        }
    }
    return FileEntry{};
}

Result<Credentials> credentials_from(const std::vector<std::string>& files,
                                     const std::vector<std::string>& names) {
    for (const std::string& path : files) {
        const auto text = read_file(path, images::kMaxDocument);
        if (!text && text.error().kind() == Kind::NotFound) continue;
        if (!text) return text.error();
        FileEntry entry = TRY(parse_auth_file(*text, names).under(path));
        if (!entry.helper.empty())
            entry.credentials = TRY(ask_helper(entry.helper, entry.helper_key).under(path));
        if (!entry.credentials.empty()) return entry.credentials;
    }
    return Credentials();
}

}  // namespace orlop::registry
