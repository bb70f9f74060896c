#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <map>

#include "images/registry/endpoint.h"
#include "images/registry/url.h"

namespace orlop::registry {

namespace {

constexpr size_t kMaxHosts = 64;

using Setter = std::function<Status(const toml::node&)>;
using Setters = std::map<std::string, Setter>;

Result<std::string> text_of(const toml::node& node) {
    const auto value = node.value_exact<std::string>();
    if (!value) return Error::invalid("has to be a string");
    // It may become a C string or a header.
    if (std::any_of(value->begin(), value->end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        return Error::invalid("has a control character");
    return *value;
}

Result<std::vector<std::string>> texts_of(const toml::node& node) {
    if (node.is_string()) return std::vector<std::string>{TRY(text_of(node))};
    const toml::array* list = node.as_array();
    if (list == nullptr) return Error::invalid("has to be a string or a list of strings");
    std::vector<std::string> out;
    for (const toml::node& item : *list) out.push_back(TRY(text_of(item)));
    return out;
}

Setter flag(bool& into) {
    return [&into](const toml::node& node) -> Status {
        const auto value = node.value_exact<bool>();
        if (!value) return Error::invalid("has to be true or false");
        into = *value;
        return ok();
    };
}

std::string beside(const std::string& dir, const std::string& path) {
    return path.starts_with('/') ? path : dir + "/" + path;
}

Setter capabilities(Endpoint& into) {
    return [&into](const toml::node& node) -> Status {
        into.pull = into.resolve = false;
        for (const std::string& word : TRY(texts_of(node))) {
            if (word != "pull" && word != "resolve" && word != "push")
                return Error::invalid("\"" + word + "\" is none of pull, resolve, push");
            into.pull = into.pull || word == "pull";
            into.resolve = into.resolve || word == "resolve";
        }
        return ok();
    };
}

// "cert.pem" with both, ["a.pem", ...], or [["cert", "key"], ...]; the first is used.
Setter client(Endpoint& into, const std::string& dir) {
    return [&into, dir](const toml::node& node) -> Status {
        const toml::array* list = node.as_array();
        const bool pairs = list != nullptr && !list->empty() && list->get(0)->is_array();
        const auto names = TRY(texts_of(pairs ? *list->get(0) : node));
        if (names.empty() || (pairs && names.size() > 2))
            return Error::invalid("has to be a file, or pairs of certificate and key");
        into.tls.client_cert = beside(dir, names.front());
        if (pairs && names.size() == 2 && !names.back().empty())
            into.tls.client_key = beside(dir, names.back());
        return ok();
    };
}

Setter authorities(Endpoint& into, const std::string& dir) {
    return [&into, dir](const toml::node& node) -> Status {
        into.tls.ca_files.clear();
        for (const std::string& name : TRY(texts_of(node))) into.tls.ca_files.push_back(beside(dir, name));
        return ok();
    };
}

Setter headers(Endpoint& into) {
    return [&into](const toml::node& node) -> Status {
        const toml::table* table = node.as_table();
        if (table == nullptr) return Error::invalid("has to be a table");
        for (const auto& [key, values] : *table) {
            const std::string name(key.str());
            const auto good = [](char c) {
                return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
            };
            if (name.empty() || !std::all_of(name.begin(), name.end(), good))
                return Error::invalid("\"" + name + "\" is not the name of a header");
            for (std::string& value : TRY(texts_of(values).under(name)))
                into.headers.emplace_back(name, std::move(value));
        }
        return ok();
    };
}

// As Go writes durations, with one unit.
Setter duration(Nanos& into) {
    return [&into](const toml::node& node) -> Status {
        const std::string text = TRY(text_of(node));
        const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
        const std::string unit = text.substr(digits);
        static const std::map<std::string, Nanos> units = {{"ms", std::chrono::milliseconds(1)},
                                                           {"s", std::chrono::seconds(1)},
                                                           {"m", std::chrono::minutes(1)}};
        const auto at = units.find(unit);
        if (digits == 0 || digits > 6 || at == units.end())
            return Error::invalid("\"" + text + "\" is not a duration like 500ms, 3s or 1m");
        into = std::max(at->second * std::stol(text.substr(0, digits)), Nanos(std::chrono::milliseconds(1)));
        return ok();
    };
}

Setters setters_of(Endpoint& endpoint, const std::string& dir, bool& override_path) {
    return {{"capabilities", capabilities(endpoint)},
            {"ca", authorities(endpoint, dir)},
            {"client", client(endpoint, dir)},
            {"skip_verify", flag(endpoint.tls.skip_verify)},
            {"header", headers(endpoint)},
            {"override_path", flag(override_path)},
            {"dial_timeout", duration(endpoint.dial_timeout)}};
}

Status apply_keys(const toml::table& table, const Setters& setters) {
    for (const auto& [key, node] : table) {
        const std::string name(key.str());
        const auto at = setters.find(name);
        if (at == setters.end()) return Error::invalid("unknown key \"" + name + "\"");
        if (Status set = at->second(node); !set) return std::move(set).error().under(name);
    }
    return ok();
}

Result<std::string> base_of(const std::string& address, bool override_path) {
    const bool scheme = address.find("://") != std::string::npos;
    const Url url = TRY(Url::parse(scheme ? address : "https://" + address));
    std::string path = url.path;
    while (path.ends_with('/')) path.pop_back();
    if (!override_path) path += "/v2";
    return url.origin() + path;
}

std::string authority_of(const std::string& base) {
    const auto url = Url::parse(base);
    return url ? url->authority() : "";
}

Result<std::vector<Endpoint>> endpoints_from(const toml::table& file, const std::string& domain,
                                             const std::string& dir) {
    const std::string own = TRY(base_of(domain == "docker.io" ? "registry-1.docker.io" : domain, false));
    Endpoint server;
    bool server_override = false;
    std::optional<std::string> server_address;
    const toml::table* hosts = nullptr;
    Setters top = setters_of(server, dir, server_override);
    top["server"] = [&](const toml::node& node) -> Status {
        server_address = TRY(text_of(node));
        return ok();
    };
    top["host"] = [&](const toml::node& node) -> Status {
        hosts = node.as_table();
        return hosts != nullptr ? ok() : Status(Error::invalid("has to be a table"));
    };
    TRY(apply_keys(file, top));
    std::vector<std::pair<toml::source_position, Endpoint>> mirrors;
    // Not of a copy: that would not know its places in the file.
    const toml::table none;
    for (const auto& [key, node] : hosts != nullptr ? *hosts : none) {
        const std::string address(key.str());
        const toml::table* table = node.as_table();
        if (table == nullptr) return Error::invalid("host \"" + address + "\" has to be a table");
        Endpoint endpoint;
        bool override_path = false;
        TRY(apply_keys(*table, setters_of(endpoint, dir, override_path)).under("host \"" + address + "\""));
        endpoint.base = TRY(base_of(address, override_path));
        endpoint.mirror = authority_of(endpoint.base) != authority_of(own);
        mirrors.emplace_back(node.source().begin, std::move(endpoint));
    }
    if (mirrors.size() > kMaxHosts) return Error(Kind::Exhausted, "more than 64 hosts");
    // The order of the file is the order in which they are asked; a table of TOML has none.
    std::stable_sort(mirrors.begin(), mirrors.end(), [](const auto& a, const auto& b) {
        return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
    });
    std::vector<Endpoint> out;
    for (auto& [position, endpoint] : mirrors) out.push_back(std::move(endpoint));
    const bool as_default = !server_address && server.tls == Tls() && server.headers.empty();
    if (as_default) {
        for (Endpoint endpoint : default_endpoints(domain)) {
            endpoint.pull = server.pull;
            endpoint.resolve = server.resolve;
            endpoint.dial_timeout = server.dial_timeout;
            out.push_back(std::move(endpoint));
        }
        return out;
    }
    server.base = server_address ? TRY(base_of(*server_address, server_override).under("server")) : own;
    server.mirror = authority_of(server.base) != authority_of(own);
    out.push_back(std::move(server));
    return out;
}

}  // namespace

Result<std::vector<Endpoint>> parse_hosts_toml(std::string_view text, const std::string& domain,
                                               const std::string& dir) {
    try {
        return endpoints_from(toml::parse(text), domain, dir);
    } catch (const toml::parse_error& e) {
        return Error::invalid("line " + std::to_string(e.source().begin.line) + ": " +
                              std::string(e.description()));
    }
}

}  // namespace orlop::registry
