// Images from registries into the store.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "images/registry/authorizer.h"
#include "images/registry/claims.h"
#include "images/registry/client.h"
#include "images/store.h"

namespace orlop::registry {

// The files are read at every pull.
struct Settings {
    std::string hosts_dir;                // configured_endpoints(); "" = none
    std::vector<std::string> auth_files;  // credentials_from()
    std::string policy_file;              // check_policy_file()
    size_t layers_at_once = 6;            // downloaded and unpacked at a time, over all pulls
    Patience patience;
};

struct PullRequest {
    std::string reference;
    Credentials credentials;     // that came with the request
    std::string server_address;  // whom they are for; "" = the image's registry
};

class Puller {
  public:
    // Calls curl_global_init(3): to be made before there are threads. The store must outlive it. SIGPIPE must
    // be ignored: OpenSSL does not.
    Puller(images::Store& store, const Clock& clock, Settings settings);
    ~Puller();
    Puller(const Puller&) = delete;
    Puller& operator=(const Puller&) = delete;

    // Stages "resolve", "download" (with the digest of a layer's file, and its bytes) and "done"; calls come
    // from several threads, one at a time. If it fails or `stop` is requested, nothing of it stays.
    // Invalid if the reference is malformed, Unavailable if the registry cannot be asked (the text has
    // kUnavailable), NotFound if it has no such image, Precondition if it wants other credentials, a policy
    // forbids the image (the text has kSignature) or what the registry sends is wrong.
    Result<images::Image> pull(const PullRequest& request, const images::OnProgress& progress,
                               std::stop_token stop);

  private:
    std::shared_ptr<Http> http();

    images::Store& store_;
    Settings settings_;
    TokenCache tokens_;
    Claims claims_;
    Slots slots_;
    std::mutex mutex_;
    std::weak_ptr<Http> http_;  // as long as there are pulls: no thread and no connection on a quiet node
};

}  // namespace orlop::registry
