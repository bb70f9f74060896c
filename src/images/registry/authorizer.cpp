#include "images/registry/authorizer.h"

#include <algorithm>

#include "base/base64.h"
#include "images/digest.h"
#include "images/json_fields.h"
#include "images/registry/url.h"

namespace orlop::registry {

namespace {

constexpr size_t kMaxToken = 1u << 20;
constexpr Nanos kDefaultLifetime = std::chrono::seconds(60);  // distribution's token specification
constexpr Nanos kMargin = std::chrono::seconds(5);
constexpr Nanos kBasicLifetime = std::chrono::hours(1);

std::string cache_key(const Endpoint& endpoint, const std::string& scope, const Credentials& c) {
    const std::string secret =
        c.username + "\n" + c.password + "\n" + c.identity_token + "\n" + c.registry_token;
    return endpoint.base + " " + scope + " " + images::sha256_of(secret).str();
}

std::string basic(const Credentials& c) {
    return "Basic " + base64_encode(c.username + ":" + c.password);
}

// It becomes a header.
Status check_token(const std::string& token) {
    const bool printable =
        std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (token.empty() || !printable) return Error::invalid("the token server's answer has no usable token");
    return ok();
}

const Challenge* find_scheme(const std::vector<Challenge>& challenges, const std::string& scheme) {
    const auto at = std::find_if(challenges.begin(), challenges.end(),
                                 [&](const Challenge& c) { return c.scheme == scheme; });
    return at == challenges.end() ? nullptr : &*at;
}

// The realm gets the password: over plain HTTP only where the registry itself is reached so.
Result<Url> realm_of(const Endpoint& endpoint, const Challenge& challenge) {
    const Url realm = TRY(Url::parse(challenge.param("realm")).under("realm of " + endpoint.base));
    const Url own = TRY(Url::parse(endpoint.base));
    if (realm.plain() && !own.plain())
        return Error::precondition("the token server " + realm.origin() + " of " + own.origin() +
                                   " is not reached by https");
    return realm;
}

Request request_to(const Endpoint& endpoint, const Url& realm) {
    Request request;
    request.url = realm.str();
    request.connect_timeout = endpoint.dial_timeout;
    const auto own = Url::parse(endpoint.base);
    request.tls.ca_files = endpoint.tls.ca_files;
    if (own && own->host == realm.host) request.tls = endpoint.tls;
    return request;
}

}  // namespace

std::optional<std::string> TokenCache::find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(key);
    if (at == entries_.end()) return std::nullopt;
    if (clock_.monotonic() < at->second.until) return at->second.header;
    entries_.erase(at);
    return std::nullopt;
}

void TokenCache::put(const std::string& key, const std::string& header, Nanos lifetime) {
    const std::lock_guard lock(mutex_);
    const Nanos now = clock_.monotonic();
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.until <= now; });
    entries_[key] = {header, now + lifetime};
}

void TokenCache::drop(const std::string& key, const std::string& header) {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(key);
    if (at != entries_.end() && at->second.header == header) entries_.erase(at);
}

Result<std::string> Authorizer::known(const Endpoint& endpoint, const std::string& scope) {
    return cache_.find(cache_key(endpoint, scope, TRY(lookup_(endpoint)))).value_or("");
}

Result<std::string> Authorizer::answer(const Endpoint& endpoint, const std::string& scope,
                                       const std::string& www_authenticate, const std::string& refused,
                                       std::stop_token stop) {
    const Credentials credentials = TRY(lookup_(endpoint));
    const std::string key = cache_key(endpoint, scope, credentials);
    cache_.drop(key, refused);
    // Another thread may have a newer one already.
    if (auto other = cache_.find(key); other && *other != refused) return *other;
    const auto challenges = parse_challenges(www_authenticate);
    std::string header;
    Nanos lifetime = kBasicLifetime;
    if (const Challenge* bearer = find_scheme(challenges, "bearer")) {
        if (!credentials.registry_token.empty()) {
            header = "Bearer " + credentials.registry_token;
        } else {
            const Token token = TRY(fetch_token(endpoint, *bearer, scope, credentials, stop));
            header = "Bearer " + token.text;
            lifetime = token.lifetime;
        }
    } else if (find_scheme(challenges, "basic") != nullptr) {
        if (!credentials.username.empty()) header = basic(credentials);
    }
    if (header.empty() || header == refused) return std::string();
    cache_.put(key, header, lifetime);
    return header;
}

Result<Authorizer::Token> Authorizer::fetch_token(const Endpoint& endpoint, const Challenge& challenge,
                                                  const std::string& scope, const Credentials& credentials,
                                                  const std::stop_token& stop) {
    const Url realm = TRY(realm_of(endpoint, challenge));
    const std::string offered = challenge.param("scope");
    const std::string wanted = offered.empty() ? scope : offered;
    const Request request = request_to(endpoint, realm);
    const std::string whom = "token server " + realm.origin();
    if (!credentials.empty()) {
        auto token = TRY(post_form(request, challenge, wanted, credentials, stop).under(whom));
        if (token) return *token;
    }
    return get_token(request, challenge, wanted, credentials, stop).under(whom);
}

namespace {

Status check_answer(int status) {
    if (status == 200) return ok();
    const std::string text = "answers " + std::to_string(status);
    if (status == 429 || status >= 500) return Error::unavailable(text);
    if (status == 401 || status == 403) return Error::precondition(text + ": the credentials are refused");
    return Error::failed(text);
}

Result<std::pair<std::string, Nanos>> token_of(Response& response) {
    const auto json = TRY(images::parse_json(TRY(read_body(response, kMaxToken))));
    std::string token = TRY(images::string_field(json, "token"));
    if (token.empty()) token = TRY(images::string_field(json, "access_token"));
    TRY(check_token(token));
    Nanos lifetime = kDefaultLifetime;
    const auto* expires = images::find_field(json, "expires_in");
    if (expires != nullptr && expires->is_number_integer())
        lifetime = std::chrono::seconds(std::clamp<int64_t>(expires->get<int64_t>(), 0, 86400));
    return std::pair(token, std::max(lifetime - kMargin, Nanos(0)));
}

}  // namespace

// OAuth 2 (distribution's "oauth" specification); nullopt where the server has no such thing.
Result<std::optional<Authorizer::Token>> Authorizer::post_form(Request request, const Challenge& challenge,
                                                               const std::string& scope,
                                                               const Credentials& credentials,
                                                               const std::stop_token& stop) {
    const auto field = [](const std::string& name, const std::string& value) {
        return "&" + name + "=" + percent_encode(value);
    };
    request.method = "POST";
    request.body = "client_id=orlop" + field("service", challenge.param("service")) + field("scope", scope);
    if (!credentials.identity_token.empty()) {
        request.body += "&grant_type=refresh_token" + field("refresh_token", credentials.identity_token);
    } else {
        request.body += "&grant_type=password" + field("username", credentials.username) +
                        field("password", credentials.password);
    }
    request.headers = {"Content-Type: application/x-www-form-urlencoded"};
    const auto response = TRY(http_.send(request, stop));
    const int status = response->status();
    // Servers that only know GET answer so.
    if (status == 404 || status == 405 || ((status == 400 || status == 401) && !credentials.username.empty()))
        return std::optional<Token>();
    TRY(check_answer(status));
    const auto [text, lifetime] = TRY(token_of(*response));
    return std::optional(Token{text, lifetime});
}

Result<Authorizer::Token> Authorizer::get_token(Request request, const Challenge& challenge,
                                                const std::string& scope, const Credentials& credentials,
                                                const std::stop_token& stop) {
    const auto add = [&](const std::string& name, const std::string& value) {
        if (value.empty()) return;
        request.url +=
            (request.url.find('?') == std::string::npos ? "?" : "&") + name + "=" + percent_encode(value);
    };
    add("service", challenge.param("service"));
    // Several scopes come in one parameter, separated by spaces.
    for (size_t from = 0; from < scope.size();) {
        const size_t end = std::min(scope.find(' ', from), scope.size());
        add("scope", scope.substr(from, end - from));
        from = end + 1;
    }
    if (!credentials.username.empty()) {
        add("account", credentials.username);
        request.headers.push_back("Authorization: " + basic(credentials));
    }
    const auto response = TRY(http_.send(request, stop));
    TRY(check_answer(response->status()));
    const auto [text, lifetime] = TRY(token_of(*response));
    return Token{text, lifetime};
}

}  // namespace orlop::registry
