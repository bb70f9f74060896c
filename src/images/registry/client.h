// What the distribution specification (distribution-spec, "Pull") offers of one repository, over whichever of
// its endpoints answers. Errors of several endpoints are joined.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "images/manifest.h"
#include "images/registry/authorizer.h"
#include "images/registry/endpoint.h"
#include "images/registry/http.h"
#include "images/store.h"

namespace orlop::registry {

// In the text of an error: no endpoint could be asked. The kubelet looks for this word.
inline constexpr const char* kUnavailable = "RegistryUnavailable";

struct Patience {
    int attempts = 5;  // at each endpoint
    Nanos stall = std::chrono::seconds(60);
    Nanos first_pause = std::chrono::milliseconds(250);  // doubled each time
    Nanos longest_pause = std::chrono::seconds(60);      // a longer Retry-After is not waited for
};

// A manifest or index as it came, verified against `digest`.
struct Fetched {
    images::Digest digest;
    std::string media_type;  // as the registry says; "" if it does not
    std::string content;
};

class Client {
  public:
    struct Target {
        std::string domain, path;  // images::Reference
        std::vector<Endpoint> endpoints;
    };
    // All of it must outlive the client and what it gives.
    Client(Http& http, Authorizer& authorizer, Target target, Patience patience, std::stop_token stop)
        : http_(http),
          authorizer_(authorizer),
          target_(std::move(target)),
          patience_(patience),
          stop_(std::move(stop)) {}

    // What a tag means now (HEAD); nullopt if no endpoint says it without sending the manifest.
    Result<std::optional<images::Digest>> digest_of(const std::string& tag);
    // By tag, or by digest.
    Result<Fetched> manifest(const std::string& tag_or_digest, const std::optional<images::Digest>& expected);
    // A small blob, verified.
    Result<std::string> document(const images::Descriptor& descriptor);
    // A large one, from its beginning, as long as the descriptor says; it goes on where it was when a
    // connection breaks. Its digest is the reader's to verify; `avoid` are endpoints that sent wrong bytes,
    // and where the bytes came from is added to it.
    Result<std::unique_ptr<images::ByteStream>> blob(const images::Descriptor& descriptor,
                                                     std::vector<std::string>& avoid);

  private:
    friend class BlobStream;
    struct Query {
        std::string method, suffix;  // below <base>/<path>
        std::vector<std::string> headers;
        bool tag = false;   // needs an endpoint that resolves
        bool bulk = false;  // of a blob
    };
    struct Failure {
        Error error;
        bool retry = false;
        Nanos pause{0};          // that the server asks for
        bool understood = true;  // whether it speaks HTTP with us
    };
    struct Answer {
        std::unique_ptr<Response> response;
        size_t endpoint = 0;
    };
    // Decides whether a response is what was asked for.
    using Accept = std::function<bool(const Response&)>;

    // `last`: an endpoint that is asked after the others of its round.
    Result<Answer> ask(const Query& query, const Accept& accept, const std::vector<std::string>& avoid,
                       const std::string& last = "");
    Result<std::unique_ptr<Response>> try_one(const Endpoint& endpoint, const Query& query,
                                              const Accept& accept, std::optional<Failure>& failure);
    Result<std::unique_ptr<Response>> send(const Endpoint& endpoint, const Query& query);
    Result<std::unique_ptr<Response>> follow(const Endpoint& endpoint, const Query& query,
                                             const std::string& authorization);
    std::vector<size_t> candidates(const Query& query, const std::vector<std::string>& avoid,
                                   const std::string& last) const;
    Failure refusal(const Endpoint& endpoint, Response& response) const;
    Error joined(const std::vector<std::optional<Error>>& errors) const;
    Status pause(Nanos time);

    Http& http_;
    Authorizer& authorizer_;
    Target target_;
    Patience patience_;
    std::stop_token stop_;
};

}  // namespace orlop::registry
