#include "cli/cri_client.h"

#include "cli/table.h"

namespace orlop::cli {

namespace {

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

Result<std::string> grpc_target(const std::string& endpoint) {
    constexpr std::string_view kScheme = "unix://";
    std::string path = endpoint;
    if (path.starts_with(kScheme)) path.erase(0, kScheme.size());
    if (!path.starts_with("/"))
        return Error::invalid("--runtime-endpoint: \"" + endpoint + "\" is not of the form unix:///path");
    return "unix:" + path;
}

}  // namespace

Error error_of(const grpc::Status& status) {
    std::string what = printable(status.error_message());
    if (what.empty()) what = "the runtime answers with gRPC status " + std::to_string(status.error_code());
    return {kind_of(status.error_code()), std::move(what)};
}

void set_deadline(grpc::ClientContext& context, Nanos timeout) {
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::duration_cast<std::chrono::system_clock::duration>(timeout));
}

Result<CriClient> CriClient::connect(const std::string& endpoint, Nanos wait) {
    const std::string target = TRY(grpc_target(endpoint));
    grpc::ChannelArguments arguments;
    // A node has thousands of containers at most; gRPC's 4 MiB would cut their list.
    arguments.SetMaxReceiveMessageSize(64 << 20);
    // A socket of this machine is there or not: look again soon.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
    // Environment variables for HTTP proxies are not meant for a local socket.
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() +
                                   std::chrono::duration_cast<std::chrono::system_clock::duration>(wait)))
        return Error::unavailable("no runtime answers on " + endpoint);
    CriClient client;
    client.runtime_ = cri::RuntimeService::NewStub(channel);
    client.images_ = cri::ImageService::NewStub(channel);
    client.node_images_ = v1::Images::NewStub(channel);
    return client;
}

Result<std::vector<cri::PodSandbox>> CriClient::sandboxes() const {
    auto answer =
        TRY(call(runtime(), &cri::RuntimeService::Stub::ListPodSandbox, cri::ListPodSandboxRequest()));
    return std::vector<cri::PodSandbox>(answer.items().begin(), answer.items().end());
}

Result<std::vector<cri::Container>> CriClient::containers() const {
    auto answer =
        TRY(call(runtime(), &cri::RuntimeService::Stub::ListContainers, cri::ListContainersRequest()));
    return std::vector<cri::Container>(answer.containers().begin(), answer.containers().end());
}

Result<cri::ContainerStatus> CriClient::container_status(const std::string& id) const {
    cri::ContainerStatusRequest request;
    request.set_container_id(id);
    return TRY(call(runtime(), &cri::RuntimeService::Stub::ContainerStatus, request)).status();
}

Result<cri::PodSandboxStatusResponse> CriClient::sandbox_status(const std::string& id, bool verbose) const {
    cri::PodSandboxStatusRequest request;
    request.set_pod_sandbox_id(id);
    request.set_verbose(verbose);
    return call(runtime(), &cri::RuntimeService::Stub::PodSandboxStatus, request);
}

}  // namespace orlop::cli
