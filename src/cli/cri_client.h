// Calls on the runtime's socket: the CRI and the node's own image service. Every call has a deadline.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cri/api.grpc.pb.h"
#include "orlop/v1/node.grpc.pb.h"

namespace orlop::cli {

namespace cri = ::runtime::v1;

// Error kind and text of a failed call.
Error error_of(const grpc::Status& status);

class CriClient {
  public:
    // Waits until somebody listens, at most `wait`. `endpoint` is unix:///path or /path; Invalid otherwise.
    static Result<CriClient> connect(const std::string& endpoint, Nanos wait);

    cri::RuntimeService::Stub& runtime() const { return *runtime_; }
    cri::ImageService::Stub& images() const { return *images_; }
    v1::Images::Stub& node_images() const { return *node_images_; }

    Result<std::vector<cri::PodSandbox>> sandboxes() const;
    Result<std::vector<cri::Container>> containers() const;
    Result<cri::ContainerStatus> container_status(const std::string& id) const;
    Result<cri::PodSandboxStatusResponse> sandbox_status(const std::string& id, bool verbose) const;

  private:
    std::unique_ptr<cri::RuntimeService::Stub> runtime_;
    std::unique_ptr<cri::ImageService::Stub> images_;
    std::unique_ptr<v1::Images::Stub> node_images_;
};

inline constexpr Nanos kShortCall = std::chrono::seconds(10);

void set_deadline(grpc::ClientContext& context, Nanos timeout);

// One call: call(client.runtime(), &cri::RuntimeService::Stub::Version, request).
template <class Stub, class Request, class Response>
Result<Response> call(Stub& stub,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request, Nanos timeout = kShortCall) {
    grpc::ClientContext context;
    set_deadline(context, timeout);
    Response response;
    if (const grpc::Status status = (stub.*method)(&context, request, &response); !status.ok())
        return error_of(status);
    return response;
}

// The same call for every request, all under way at once; one result for each, in their order.
template <class Stub, class Request, class Response>
std::vector<Result<Response>> call_all(Stub& stub,
                                       std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (
                                           Stub::*method)(grpc::ClientContext*, const Request&,
                                                          grpc::CompletionQueue*),
                                       const std::vector<Request>& requests, Nanos timeout) {
    struct Flight {
        grpc::ClientContext context;
        Response response;
        grpc::Status status;
        std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
    };
    grpc::CompletionQueue queue;
    std::vector<std::unique_ptr<Flight>> flights;
    for (const Request& request : requests) {
        auto& flight = *flights.emplace_back(std::make_unique<Flight>());
        set_deadline(flight.context, timeout);
        flight.reader = (stub.*method)(&flight.context, request, &queue);
        flight.reader->Finish(&flight.response, &flight.status, &flight);
    }
    void* tag = nullptr;
    bool ok = false;
    for (size_t i = 0; i < flights.size(); ++i) queue.Next(&tag, &ok);
    std::vector<Result<Response>> out;
    for (auto& flight : flights) {
        if (flight->status.ok()) {
            out.emplace_back(std::move(flight->response));
        } else {
            out.emplace_back(error_of(flight->status));
        }
    }
    return out;
}

}  // namespace orlop::cli
