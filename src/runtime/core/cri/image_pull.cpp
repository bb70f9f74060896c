// Pulls run in a thread of their own, so that they end when the client has no use for them any more.
#include <future>

#include "images/registry/credentials.h"
#include "images/registry/policy.h"
#include "runtime/core/cri/image_service.h"
#include "runtime/core/cri/serve.h"

namespace orlop::core {

namespace {

constexpr auto kLook = std::chrono::milliseconds(50);

Result<registry::PullRequest> request_of(const cri::PullImageRequest& request) {
    const cri::AuthConfig& auth = request.auth();
    registry::Credentials credentials{auth.username(), auth.password(), auth.identity_token(),
                                      auth.registry_token()};
    if (credentials.empty() && !auth.auth().empty())
        credentials = TRY(registry::decode_auth(auth.auth()).under("auth"));
    return registry::PullRequest{request.image().image(), credentials, auth.server_address()};
}

}  // namespace

WatchedPull pull_watched(registry::Puller& puller, const registry::PullRequest& request,
                         const images::OnProgress& progress, const grpc::ServerContext& context) {
    std::stop_source stop;
    auto pulled =
        std::async(std::launch::async, [&] { return puller.pull(request, progress, stop.get_token()); });
    // Synchronous gRPC tells nobody that a client left.
    while (pulled.wait_for(kLook) != std::future_status::ready) {
        if (context.IsCancelled()) stop.request_stop();
    }
    return {pulled.get(), stop.stop_requested()};
}

grpc::Status pull_status(const WatchedPull& pull, const grpc::ServerContext& context) {
    if (pull.image) return grpc::Status::OK;
    const std::string& text = pull.image.error().what();
    if (pull.stopped) {
        const bool late = std::chrono::system_clock::now() >= context.deadline();
        return {late ? grpc::StatusCode::DEADLINE_EXCEEDED : grpc::StatusCode::CANCELLED, text};
    }
    // The kubelet looks for these words at the beginning of the text of an error of code Unknown.
    for (const std::string word : {registry::kUnavailable, registry::kSignature}) {
        const size_t at = text.find(word + ": ");
        if (at == std::string::npos) continue;
        const std::string rest = text.substr(0, at) + text.substr(at + word.size() + 2);
        return {grpc::StatusCode::UNKNOWN, word + ": " + rest};
    }
    return to_grpc(pull.image.error());
}

grpc::Status ImageService::PullImage(Context* context, const cri::PullImageRequest* request,
                                     cri::PullImageResponse* response) {
    grpc::Status answer;
    (void)serve("PullImage", [&]() -> Status {
        auto wanted = request_of(*request);
        if (wanted && wanted->reference.empty()) wanted = Error::invalid("image.image is empty");
        if (!wanted) {
            answer = to_grpc(wanted.error());
            return wanted.error();
        }
        const WatchedPull pull = pull_watched(puller_, *wanted, {}, *context);
        answer = pull_status(pull, *context);
        if (!pull.image) return pull.image.error();
        response->set_image_ref(pull.image->id);
        return ok();
    });
    return answer;
}

}  // namespace orlop::core
