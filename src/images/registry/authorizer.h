// Which Authorization header a registry wants (RFC 7235; distribution's token specification).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "images/registry/challenge.h"
#include "images/registry/endpoint.h"
#include "images/registry/http.h"

namespace orlop::registry {

struct Credentials {
    std::string username, password;
    std::string identity_token;  // OAuth 2 refresh token
    std::string registry_token;  // sent as it is
    bool empty() const { return username.empty() && identity_token.empty() && registry_token.empty(); }
};

// Authorization headers that were good, by endpoint, scope and credentials, until they expire.
class TokenCache {
  public:
    explicit TokenCache(const Clock& clock) : clock_(clock) {}
    std::optional<std::string> find(const std::string& key);
    void put(const std::string& key, const std::string& header, Nanos lifetime);
    // If it is still this one.
    void drop(const std::string& key, const std::string& header);

  private:
    struct Entry {
        std::string header;
        Nanos until;
    };
    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

class Authorizer {
  public:
    using Lookup = std::function<Result<Credentials>(const Endpoint&)>;
    Authorizer(Http& http, TokenCache& cache, Lookup lookup)
        : http_(http), cache_(cache), lookup_(std::move(lookup)) {}

    // What to send at first: "" until the endpoint has asked for something once. No secret is sent to whom
    // has not asked.
    Result<std::string> known(const Endpoint& endpoint, const std::string& scope);
    // The header that answers the challenges; "" if there is none but `refused`, which the endpoint did not
    // take.
    Result<std::string> answer(const Endpoint& endpoint, const std::string& scope,
                               const std::string& www_authenticate, const std::string& refused,
                               std::stop_token stop);

  private:
    struct Token {
        std::string text;
        Nanos lifetime{0};
    };
    Result<Token> fetch_token(const Endpoint& endpoint, const Challenge& challenge, const std::string& scope,
                              const Credentials& credentials, const std::stop_token& stop);
    Result<std::optional<Token>> post_form(Request request, const Challenge& challenge,
                                           const std::string& scope, const Credentials& credentials,
                                           const std::stop_token& stop);
    Result<Token> get_token(Request request, const Challenge& challenge, const std::string& scope,
                            const Credentials& credentials, const std::stop_token& stop);

    Http& http_;
    TokenCache& cache_;
    Lookup lookup_;
};

}  // namespace orlop::registry
