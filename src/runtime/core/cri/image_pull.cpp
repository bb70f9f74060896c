// PullImage: the pull runs in a thread of its own, so that it ends when the client has no use for it any
// more.
#include <future>

#include "runtime/core/cri/image_service.h"
#include "runtime/core/cri/serve.h"

namespace orlop::core {

namespace {

constexpr auto kLook = std::chrono::milliseconds(50);

registry::PullRequest request_of(const cri::PullImageRequest& request) {
    const cri::AuthConfig& auth = request.auth();
    return {request.image().image(),
            {auth.username(), auth.password(), auth.identity_token(), auth.registry_token()},
            auth.server_address()};
}

// The kinds that clients would take for something about their request.
grpc::Status pull_status(const Error& error) {
    if (error.kind() == Kind::Invalid) return {grpc::StatusCode::FAILED_PRECONDITION, error.what()};
    return to_grpc(error);
}

}  // namespace

grpc::Status ImageService::PullImage(Context* context, const cri::PullImageRequest* request,
                                     cri::PullImageResponse* response) {
    grpc::Status answer;
    (void)serve("PullImage", [&]() -> Status {
        if (auto named = images::Reference::parse(request->image().image()); !named) {
            answer = to_grpc(named.error());
            return named.error();
        }
        std::stop_source stop;
        auto pulled = std::async(std::launch::async,
                                 [&] { return puller_.pull(request_of(*request), {}, stop.get_token()); });
        // Synchronous gRPC tells nobody that a client left.
        while (pulled.wait_for(kLook) != std::future_status::ready) {
            if (context->IsCancelled()) stop.request_stop();
        }
        auto image = pulled.get();
        if (image) {
            response->set_image_ref(image->id);
            return ok();
        }
        answer = pull_status(image.error());
        if (stop.stop_requested()) {
            const bool late = std::chrono::system_clock::now() >= context->deadline();
            answer = {late ? grpc::StatusCode::DEADLINE_EXCEEDED : grpc::StatusCode::CANCELLED,
                      image.error().what()};
        }
        return image.error();
    });
    return answer;
}

}  // namespace orlop::core
