// The RPCs of RuntimeService that stream lists: as many items a message as the list has one of, each once.
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/runtime_service.h"
#include "runtime/core/cri/serve.h"
#include "runtime/core/cri/stats.h"

namespace orlop::core {

namespace {

Status gone() {
    return Error::unavailable("the client is gone");
}

// Of a source that calls back for each item.
template <class Response, class Item, class Source, class Add>
Status stream_each(grpc::ServerWriter<Response>& writer, Source&& source, Add&& add) {
    bool open = true;
    source([&](Item item) {
        Response response;
        add(response, std::move(item));
        open = writer.Write(response);
        return open;
    });
    return open ? ok() : gone();
}

}  // namespace

grpc::Status RuntimeService::StreamPodSandboxes(Context*, const cri::StreamPodSandboxesRequest* request,
                                                grpc::ServerWriter<cri::StreamPodSandboxesResponse>* writer) {
    return serve("StreamPodSandboxes", [&]() -> orlop::Status {
        const auto list = list_sandboxes(parts_.state, request->filter());
        for (const auto& item : list.items()) {
            cri::StreamPodSandboxesResponse response;
            *response.add_pod_sandboxes() = item;
            if (!writer->Write(response)) return gone();
        }
        return ok();
    });
}

grpc::Status RuntimeService::StreamContainers(Context*, const cri::StreamContainersRequest* request,
                                              grpc::ServerWriter<cri::StreamContainersResponse>* writer) {
    return serve("StreamContainers", [&]() -> orlop::Status {
        const auto list = list_containers(parts_.state, request->filter());
        for (const auto& item : list.containers()) {
            cri::StreamContainersResponse response;
            *response.add_containers() = item;
            if (!writer->Write(response)) return gone();
        }
        return ok();
    });
}

grpc::Status RuntimeService::StreamContainerStats(
    Context*, const cri::StreamContainerStatsRequest* request,
    grpc::ServerWriter<cri::StreamContainerStatsResponse>* writer) {
    return serve("StreamContainerStats", [&] {
        return stream_each<cri::StreamContainerStatsResponse, cri::ContainerStats>(
            *writer,
            [&](const auto& each) { each_container_stats(parts_, sampler_, request->filter(), each); },
            [](auto& response, auto item) { *response.add_container_stats() = std::move(item); });
    });
}

grpc::Status RuntimeService::StreamPodSandboxStats(
    Context*, const cri::StreamPodSandboxStatsRequest* request,
    grpc::ServerWriter<cri::StreamPodSandboxStatsResponse>* writer) {
    return serve("StreamPodSandboxStats", [&] {
        return stream_each<cri::StreamPodSandboxStatsResponse, cri::PodSandboxStats>(
            *writer, [&](const auto& each) { each_sandbox_stats(parts_, sampler_, request->filter(), each); },
            [](auto& response, auto item) { *response.add_pod_sandbox_stats() = std::move(item); });
    });
}

grpc::Status RuntimeService::StreamPodSandboxMetrics(
    Context*, const cri::StreamPodSandboxMetricsRequest*,
    grpc::ServerWriter<cri::StreamPodSandboxMetricsResponse>* writer) {
    return serve("StreamPodSandboxMetrics", [&] {
        return stream_each<cri::StreamPodSandboxMetricsResponse, cri::PodSandboxMetrics>(
            *writer, [&](const auto& each) { each_sandbox_metrics(parts_, sampler_, each); },
            [](auto& response, auto item) { *response.add_pod_sandbox_metrics() = std::move(item); });
    });
}

}  // namespace orlop::core
