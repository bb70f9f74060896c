#include "guard.h"

#include <nlohmann/json.hpp>
#include <random>

#include "base/base64.h"

namespace orlop::test_registry {
namespace {

using Json = nlohmann::json;

std::string random_text() {
    static thread_local std::random_device source;
    std::string text;
    for (int i = 0; i < 32; ++i) text += "0123456789abcdef"[source() & 15];
    return text;
}

std::string pull_scope(const std::string& repository) {
    return "repository:" + repository + ":pull";
}

}  // namespace

bool Guard::is_user(const std::string& authorization) const {
    return authorization == "Basic " + base64_encode(options_.user + ":" + options_.password);
}

bool Guard::allowed(const Request& request, const std::string& scope) {
    const std::string authorization = request.header("authorization");
    if (options_.scheme == "basic") return is_user(authorization);
    if (authorization.rfind("Bearer ", 0) != 0) return false;
    const std::scoped_lock lock(mutex_);
    const auto it = tokens_.find(authorization.substr(7));
    return it != tokens_.end() && it->second.until > std::chrono::steady_clock::now() &&
           (scope.empty() || (" " + it->second.scope + " ").find(" " + scope + " ") != std::string::npos);
}

std::optional<Reply> Guard::refuse(const Request& request, const std::string& repository,
                                   const std::string& origin) {
    if (options_.scheme == "none") return std::nullopt;
    const std::string scope = repository.empty() ? "" : pull_scope(repository);
    if (allowed(request, scope)) return std::nullopt;
    Reply reply = error_reply(401, "UNAUTHORIZED", "authentication required");
    std::string challenge = "Basic realm=\"orlop-test-registry\"";
    if (options_.scheme == "bearer") {
        challenge = "Bearer realm=\"" + origin + "/token\",service=\"orlop-test-registry\"";
        if (!scope.empty()) challenge += ",scope=\"" + scope + "\"";
        if (!request.header("authorization").empty()) challenge += ",error=\"invalid_token\"";
    }
    reply.headers.emplace_back("WWW-Authenticate", challenge);
    return reply;
}

std::string Guard::make_token(const std::string& scope, std::chrono::seconds lifetime) {
    const std::string text = random_text();
    const std::scoped_lock lock(mutex_);
    tokens_[text] = {scope, std::chrono::steady_clock::now() + lifetime};
    return text;
}

Reply Guard::token(const Request& request) {
    const bool post = request.method == "POST";
    const auto fields = post ? decode_form(request.body) : request.query;
    const auto field = [&](const char* name) {
        const auto it = fields.find(name);
        return it == fields.end() ? std::string() : it->second;
    };
    bool good = options_.user.empty() || (!post && is_user(request.header("authorization")));
    if (post && field("grant_type") == "password")
        good = field("username") == options_.user && field("password") == options_.password;
    if (post && field("grant_type") == "refresh_token") {
        const std::scoped_lock lock(mutex_);
        const std::string given = field("refresh_token");
        good = refresh_tokens_.contains(given) ||
               (!options_.identity_token.empty() && given == options_.identity_token);
    }
    if (!good) return error_reply(401, "UNAUTHORIZED", "wrong user or password");
    const std::string token = make_token(field("scope"), options_.lifetime);
    Json answer = {{"token", token}, {"access_token", token}, {"expires_in", options_.lifetime.count()}};
    if (field("access_type") == "offline" || field("offline_token") == "true") {
        const std::string refresh = random_text();
        const std::scoped_lock lock(mutex_);
        refresh_tokens_.insert(refresh);
        answer["refresh_token"] = refresh;
    }
    return json_reply(200, answer.dump());
}

void Guard::forget_tokens() {
    const std::scoped_lock lock(mutex_);
    tokens_.clear();
}

}  // namespace orlop::test_registry
