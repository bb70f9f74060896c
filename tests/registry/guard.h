// Who may pull: nobody is asked, Basic (RFC 7617), or Bearer tokens of a token server (distribution's token
// and OAuth 2 specifications) that is at /token of the same address.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "message.h"

namespace orlop::test_registry {

struct GuardOptions {
    std::string scheme = "none";  // none, basic, bearer
    std::string user, password;   // empty with bearer: everyone gets a token
    std::string identity_token;   // taken as a refresh token
    std::chrono::seconds lifetime{300};
};

class Guard {
  public:
    explicit Guard(GuardOptions options) : options_(std::move(options)) {}

    // The 401 that a request for a repository gets; nothing if it may pass. `origin` is "http://host:port".
    std::optional<Reply> refuse(const Request& request, const std::string& repository,
                                const std::string& origin);
    // GET and POST of /token.
    Reply token(const Request& request);
    void forget_tokens();

  private:
    struct Token {
        std::string scope;
        std::chrono::steady_clock::time_point until;
    };
    bool allowed(const Request& request, const std::string& scope);
    bool is_user(const std::string& authorization) const;
    std::string make_token(const std::string& scope, std::chrono::seconds lifetime);

    const GuardOptions options_;
    std::mutex mutex_;
    std::map<std::string, Token> tokens_;
    std::set<std::string> refresh_tokens_;
};

}  // namespace orlop::test_registry
