#include "images/registry/puller.h"

#include <curl/curl.h>

#include <map>

#include "images/registry/credentials.h"
#include "images/registry/policy.h"
#include "images/registry/pull.h"
#include "images/registry/url.h"

namespace orlop::registry {

namespace {

// Credentials that came for one registry are no business of its mirrors.
bool are_for(const PullRequest& request, const std::string& domain, const Endpoint& endpoint) {
    if (request.server_address.empty()) return !endpoint.mirror;
    const auto url = Url::parse(endpoint.base);
    std::string address = request.server_address;
    if (address.find("://") == std::string::npos) address = "https://" + address;
    const auto wanted = Url::parse(address);
    if (!url || !wanted) return false;
    if (!endpoint.mirror && domain == "docker.io" && wanted->host.ends_with("docker.io")) return true;
    const bool port_given =
        request.server_address.find(':', request.server_address.find("://") + 3) != std::string::npos;
    return url->host == wanted->host && (!port_given || url->port == wanted->port);
}

// One pull's credentials by endpoint: a helper program is asked once.
class Lookups {
  public:
    Lookups(const PullRequest& request, const images::Reference& reference,
            const std::vector<std::string>& files)
        : request_(request), reference_(reference), files_(files) {}

    Result<Credentials> find(const Endpoint& endpoint) {
        if (!request_.credentials.empty() && are_for(request_, reference_.domain, endpoint))
            return request_.credentials;
        const std::lock_guard lock(mutex_);
        if (const auto at = known_.find(endpoint.base); at != known_.end()) return at->second;
        const auto names = key_names(endpoint, reference_.domain, reference_.path);
        return known_[endpoint.base] = TRY(credentials_from(files_, names));
    }

  private:
    const PullRequest& request_;
    const images::Reference& reference_;
    const std::vector<std::string>& files_;
    std::mutex mutex_;
    std::map<std::string, Credentials> known_;
};

}  // namespace

Puller::Puller(images::Store& store, const Clock& clock, Settings settings)
    : store_(store), settings_(std::move(settings)), tokens_(clock), slots_(settings_.layers_at_once) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

Puller::~Puller() {
    curl_global_cleanup();
}

std::shared_ptr<Http> Puller::http() {
    const std::lock_guard lock(mutex_);
    auto http = http_.lock();
    if (http) return http;
    auto started = Http::start();
    if (!started) return nullptr;
    http = std::move(*started);
    http_ = http;
    return http;
}

Result<images::Image> Puller::pull(const PullRequest& request, const images::OnProgress& progress,
                                   std::stop_token stop) {
    const images::Reference reference = TRY(images::Reference::parse(request.reference));
    const std::shared_ptr<Http> shared_http = http();
    if (!shared_http) return Error::sys("start libcurl", ENOMEM);
    TRY(check_policy_file(settings_.policy_file, reference));
    const Client::Target target{reference.domain, reference.path,
                                TRY(configured_endpoints(settings_.hosts_dir, reference.domain))};
    Lookups lookups(request, reference, settings_.auth_files);
    Authorizer authorizer(*shared_http, tokens_, [&](const Endpoint& e) { return lookups.find(e); });
    Pull pull({store_, claims_, slots_, settings_.layers_at_once, *shared_http, authorizer},
              settings_.patience, target, reference, progress);
    auto image = pull.run(std::move(stop)).under("pull " + reference.str());
    if (image) return image;
    // It is not the caller's request that is wrong.
    const Kind kind = image.error().kind();
    if (kind != Kind::Invalid && kind != Kind::Unimplemented) return image;
    return Error(Kind::Precondition, image.error().what());
}

}  // namespace orlop::registry
