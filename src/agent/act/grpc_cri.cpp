#include "agent/act/grpc_cri.h"

#include <grpcpp/grpcpp.h>

#include "agent/decide/labels.h"
#include "cri/api.grpc.pb.h"

namespace orlop::agent {

namespace {

// As the kubelet: a node full of containers must fit into one answer.
constexpr int kMaxMessage = 16 << 20;

Kind kind_of(grpc::StatusCode code) {
    switch (code) {
        case grpc::StatusCode::NOT_FOUND:
            return Kind::NotFound;
        case grpc::StatusCode::INVALID_ARGUMENT:
            return Kind::Invalid;
        case grpc::StatusCode::ALREADY_EXISTS:
            return Kind::Exists;
        case grpc::StatusCode::UNAVAILABLE:
            return Kind::Unavailable;
        case grpc::StatusCode::DEADLINE_EXCEEDED:
            return Kind::TimedOut;
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
            return Kind::Exhausted;
        case grpc::StatusCode::FAILED_PRECONDITION:
            return Kind::Precondition;
        case grpc::StatusCode::UNIMPLEMENTED:
            return Kind::Unimplemented;
        default:
            return Kind::Failed;
    }
}

Status status_of(const grpc::Status& status) {
    if (status.ok()) return ok();
    return Error(kind_of(status.error_code()), status.error_message());
}

std::shared_ptr<grpc::Channel> connect(const std::string& endpoint) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMaxMessage);
    // A restarted runtime should be seen within a second, not after gRPC's minutes of backoff.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
    const std::string target = endpoint.starts_with("/") ? "unix://" + endpoint : endpoint;
    return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::chrono::system_clock::time_point deadline(Nanos timeout) {
    return std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::microseconds>(timeout);
}

// One blocking call: `rpc` is a stub's method.
template <class Stub, class Request, class Response>
Status call(Stub& stub, grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
            const Request& request, Response& response, Nanos timeout) {
    grpc::ClientContext context;
    context.set_deadline(deadline(timeout));
    return status_of((stub.*rpc)(&context, request, &response));
}

using RuntimeStub = cri::RuntimeService::Stub;
using ImageStub = cri::ImageService::Stub;

class Runtime final : public RuntimeCalls {
  public:
    Runtime(RuntimeStub& stub, Nanos timeout) : stub_(stub), timeout_(timeout) {}

    Result<cri::VersionResponse> version() override {
        cri::VersionRequest request;
        request.set_version("0.1.0");
        cri::VersionResponse response;
        TRY(call(stub_, &RuntimeStub::Version, request, response, timeout_));
        return response;
    }
    Result<cri::RuntimeStatus> status() override {
        cri::StatusResponse response;
        TRY(call(stub_, &RuntimeStub::Status, cri::StatusRequest(), response, timeout_));
        return response.status();
    }
    Result<cri::CgroupDriver> cgroup_driver() override {
        cri::RuntimeConfigResponse response;
        TRY(call(stub_, &RuntimeStub::RuntimeConfig, cri::RuntimeConfigRequest(), response, timeout_));
        if (!response.has_linux()) return Error::unimplemented("the runtime does not tell its cgroup driver");
        return response.linux().cgroup_driver();
    }
    Status listen(const std::function<void(const cri::ContainerEventResponse&)>& on_event,
                  const std::function<void()>& connected, const std::stop_token& stop) override {
        grpc::ClientContext context;
        const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
        const auto reader = stub_.GetContainerEvents(&context, cri::GetEventsRequest());
        connected();
        cri::ContainerEventResponse event;
        while (reader->Read(&event)) on_event(event);
        const grpc::Status end = reader->Finish();
        if (stop.stop_requested()) return ok();
        return status_of(end);
    }

  private:
    RuntimeStub& stub_;
    Nanos timeout_;
};

class Sandboxes final : public SandboxCalls {
  public:
    Sandboxes(RuntimeStub& stub, Nanos timeout) : stub_(stub), timeout_(timeout) {}

    Result<std::string> run(const cri::PodSandboxConfig& config) override {
        cri::RunPodSandboxRequest request;
        *request.mutable_config() = config;
        cri::RunPodSandboxResponse response;
        // Networking is part of it: twice the time, as the kubelet gives.
        TRY(call(stub_, &RuntimeStub::RunPodSandbox, request, response, 2 * timeout_));
        return response.pod_sandbox_id();
    }
    Status stop(const std::string& id) override {
        cri::StopPodSandboxRequest request;
        request.set_pod_sandbox_id(id);
        cri::StopPodSandboxResponse response;
        return call(stub_, &RuntimeStub::StopPodSandbox, request, response, timeout_);
    }
    Status remove(const std::string& id) override {
        cri::RemovePodSandboxRequest request;
        request.set_pod_sandbox_id(id);
        cri::RemovePodSandboxResponse response;
        return call(stub_, &RuntimeStub::RemovePodSandbox, request, response, timeout_);
    }
    Result<cri::PodSandboxStatus> status(const std::string& id) override {
        cri::PodSandboxStatusRequest request;
        request.set_pod_sandbox_id(id);
        cri::PodSandboxStatusResponse response;
        TRY(call(stub_, &RuntimeStub::PodSandboxStatus, request, response, timeout_));
        return response.status();
    }
    Result<std::vector<cri::PodSandbox>> list(const std::string& pod_uid) override {
        cri::ListPodSandboxRequest request;
        if (!pod_uid.empty())
            (*request.mutable_filter()->mutable_label_selector())[labels::kPodUid] = pod_uid;
        cri::ListPodSandboxResponse response;
        TRY(call(stub_, &RuntimeStub::ListPodSandbox, request, response, timeout_));
        return std::vector<cri::PodSandbox>(response.items().begin(), response.items().end());
    }

  private:
    RuntimeStub& stub_;
    Nanos timeout_;
};

class Containers final : public ContainerCalls {
  public:
    Containers(RuntimeStub& stub, Nanos timeout) : stub_(stub), timeout_(timeout) {}

    Result<std::string> create(const std::string& sandbox_id, const cri::ContainerConfig& config,
                               const cri::PodSandboxConfig& sandbox) override {
        cri::CreateContainerRequest request;
        request.set_pod_sandbox_id(sandbox_id);
        *request.mutable_config() = config;
        *request.mutable_sandbox_config() = sandbox;
        cri::CreateContainerResponse response;
        TRY(call(stub_, &RuntimeStub::CreateContainer, request, response, timeout_));
        return response.container_id();
    }
    Status start(const std::string& id) override {
        cri::StartContainerRequest request;
        request.set_container_id(id);
        cri::StartContainerResponse response;
        return call(stub_, &RuntimeStub::StartContainer, request, response, timeout_);
    }
    void stop(const std::string& id, int64_t grace_s, std::function<void(Status)> done) override {
        struct Pending {
            grpc::ClientContext context;
            cri::StopContainerRequest request;
            cri::StopContainerResponse response;
        };
        auto pending = std::make_shared<Pending>();
        pending->request.set_container_id(id);
        pending->request.set_timeout(grace_s);
        pending->context.set_deadline(deadline(std::chrono::seconds(grace_s) + timeout_));
        stub_.async()->StopContainer(
            &pending->context, &pending->request, &pending->response,
            [pending, done = std::move(done)](const grpc::Status& status) { done(status_of(status)); });
    }
    Status remove(const std::string& id) override {
        cri::RemoveContainerRequest request;
        request.set_container_id(id);
        cri::RemoveContainerResponse response;
        return call(stub_, &RuntimeStub::RemoveContainer, request, response, timeout_);
    }
    Result<cri::ContainerStatus> status(const std::string& id) override {
        cri::ContainerStatusRequest request;
        request.set_container_id(id);
        cri::ContainerStatusResponse response;
        TRY(call(stub_, &RuntimeStub::ContainerStatus, request, response, timeout_));
        return response.status();
    }
    Result<std::vector<cri::Container>> list(const std::string& pod_uid) override {
        cri::ListContainersRequest request;
        if (!pod_uid.empty())
            (*request.mutable_filter()->mutable_label_selector())[labels::kPodUid] = pod_uid;
        cri::ListContainersResponse response;
        TRY(call(stub_, &RuntimeStub::ListContainers, request, response, timeout_));
        return std::vector<cri::Container>(response.containers().begin(), response.containers().end());
    }

  private:
    RuntimeStub& stub_;
    Nanos timeout_;
};

class Images final : public ImageCalls {
  public:
    Images(ImageStub& stub, Nanos timeout, Nanos pull_timeout)
        : stub_(stub), timeout_(timeout), pull_timeout_(pull_timeout) {}

    Result<std::optional<cri::Image>> find(const std::string& image) override {
        cri::ImageStatusRequest request;
        request.mutable_image()->set_image(image);
        cri::ImageStatusResponse response;
        TRY(call(stub_, &ImageStub::ImageStatus, request, response, timeout_));
        if (!response.has_image()) return std::optional<cri::Image>();
        return std::optional(response.image());
    }
    Result<std::string> pull(const std::string& image, const cri::PodSandboxConfig& sandbox) override {
        cri::PullImageRequest request;
        request.mutable_image()->set_image(image);
        *request.mutable_sandbox_config() = sandbox;
        cri::PullImageResponse response;
        TRY(call(stub_, &ImageStub::PullImage, request, response, pull_timeout_));
        return response.image_ref();
    }

  private:
    ImageStub& stub_;
    Nanos timeout_;
    Nanos pull_timeout_;
};

}  // namespace

struct GrpcCri::Parts {
    explicit Parts(const CriEndpoints& e)
        : channel(connect(e.runtime)),
          image_channel(e.images.empty() || e.images == e.runtime ? channel : connect(e.images)),
          runtime_stub(cri::RuntimeService::NewStub(channel)),
          image_stub(cri::ImageService::NewStub(image_channel)),
          runtime(*runtime_stub, e.timeout),
          sandboxes(*runtime_stub, e.timeout),
          containers(*runtime_stub, e.timeout),
          images(*image_stub, e.timeout, e.pull_timeout) {}

    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<grpc::Channel> image_channel;
    std::unique_ptr<RuntimeStub> runtime_stub;
    std::unique_ptr<ImageStub> image_stub;
    Runtime runtime;
    Sandboxes sandboxes;
    Containers containers;
    Images images;
};

GrpcCri::GrpcCri(const CriEndpoints& endpoints) : parts_(std::make_unique<Parts>(endpoints)) {}
GrpcCri::~GrpcCri() = default;

Cri GrpcCri::calls() {
    return {parts_->runtime, parts_->sandboxes, parts_->containers, parts_->images};
}

}  // namespace orlop::agent
