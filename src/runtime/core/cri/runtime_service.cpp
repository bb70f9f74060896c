#include "runtime/core/cri/runtime_service.h"

#include "runtime/core/cri/checkpoint.h"
#include "runtime/core/cri/events.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/resource_update.h"
#include "runtime/core/cri/serve.h"
#include "runtime/core/cri/stats.h"
#include "runtime/core/cri/status.h"
#include "runtime/core/stats/metrics.h"

namespace orlop::core {

namespace {

// Seconds of a request as a grace period; longer than a month is forever to everyone.
Nanos grace_of(int64_t seconds) {
    return std::chrono::seconds(std::clamp<int64_t>(seconds, 0, 30 * 24 * 3600));
}

}  // namespace

grpc::Status RuntimeService::Version(Context*, const cri::VersionRequest*, cri::VersionResponse* response) {
    *response = version();
    return grpc::Status::OK;
}

grpc::Status RuntimeService::Status(Context*, const cri::StatusRequest* request,
                                    cri::StatusResponse* response) {
    *response = runtime_status(parts_.networks, parts_.cni, parts_.facts, config_json_, request->verbose());
    return grpc::Status::OK;
}

grpc::Status RuntimeService::UpdateRuntimeConfig(Context*, const cri::UpdateRuntimeConfigRequest* request,
                                                 cri::UpdateRuntimeConfigResponse*) {
    // The pod range is for CNI templates; this runtime takes its networks from the conflist alone.
    spdlog::debug("UpdateRuntimeConfig: pod_cidr \"{}\"",
                  request->runtime_config().network_config().pod_cidr());
    return grpc::Status::OK;
}

grpc::Status RuntimeService::RuntimeConfig(Context*, const cri::RuntimeConfigRequest*,
                                           cri::RuntimeConfigResponse* response) {
    *response = runtime_config(parts_.driver);
    return grpc::Status::OK;
}

grpc::Status RuntimeService::RunPodSandbox(Context* context, const cri::RunPodSandboxRequest* request,
                                           cri::RunPodSandboxResponse* response) {
    return serve("RunPodSandbox", [&]() -> orlop::Status {
        response->set_pod_sandbox_id(TRY(run_sandbox(parts_, *request, patience(*context))));
        return ok();
    });
}

grpc::Status RuntimeService::StopPodSandbox(Context* context, const cri::StopPodSandboxRequest* request,
                                            cri::StopPodSandboxResponse*) {
    return serve("StopPodSandbox",
                 [&] { return stop_sandbox(parts_, request->pod_sandbox_id(), patience(*context)); });
}

grpc::Status RuntimeService::RemovePodSandbox(Context* context, const cri::RemovePodSandboxRequest* request,
                                              cri::RemovePodSandboxResponse*) {
    return serve("RemovePodSandbox",
                 [&] { return remove_sandbox(parts_, request->pod_sandbox_id(), patience(*context)); });
}

grpc::Status RuntimeService::PodSandboxStatus(Context*, const cri::PodSandboxStatusRequest* request,
                                              cri::PodSandboxStatusResponse* response) {
    return serve_into("PodSandboxStatus", response,
                      [&] { return sandbox_status(parts_.state, parts_.paths, parts_.clock, *request); });
}

grpc::Status RuntimeService::ListPodSandbox(Context*, const cri::ListPodSandboxRequest* request,
                                            cri::ListPodSandboxResponse* response) {
    *response = list_sandboxes(parts_.state, request->filter());
    return grpc::Status::OK;
}

grpc::Status RuntimeService::UpdatePodSandboxResources(Context* context,
                                                       const cri::UpdatePodSandboxResourcesRequest* request,
                                                       cri::UpdatePodSandboxResourcesResponse*) {
    return serve("UpdatePodSandboxResources",
                 [&] { return update_sandbox(parts_, *request, patience(*context)); });
}

grpc::Status RuntimeService::CreateContainer(Context* context, const cri::CreateContainerRequest* request,
                                             cri::CreateContainerResponse* response) {
    return serve("CreateContainer", [&]() -> orlop::Status {
        response->set_container_id(TRY(create_container(parts_, *request, patience(*context))));
        return ok();
    });
}

grpc::Status RuntimeService::StartContainer(Context* context, const cri::StartContainerRequest* request,
                                            cri::StartContainerResponse*) {
    return serve("StartContainer",
                 [&] { return start_container(parts_, request->container_id(), patience(*context)); });
}

grpc::Status RuntimeService::StopContainer(Context*, const cri::StopContainerRequest* request,
                                           cri::StopContainerResponse*) {
    return serve("StopContainer", [&] {
        return stop_container(parts_, request->container_id(), grace_of(request->timeout()));
    });
}

grpc::Status RuntimeService::RemoveContainer(Context* context, const cri::RemoveContainerRequest* request,
                                             cri::RemoveContainerResponse*) {
    return serve("RemoveContainer",
                 [&] { return remove_container(parts_, request->container_id(), patience(*context)); });
}

grpc::Status RuntimeService::ListContainers(Context*, const cri::ListContainersRequest* request,
                                            cri::ListContainersResponse* response) {
    *response = list_containers(parts_.state, request->filter());
    return grpc::Status::OK;
}

grpc::Status RuntimeService::ContainerStatus(Context*, const cri::ContainerStatusRequest* request,
                                             cri::ContainerStatusResponse* response) {
    return serve_into("ContainerStatus", response, [&] { return container_status(parts_.state, *request); });
}

grpc::Status RuntimeService::UpdateContainerResources(Context* context,
                                                      const cri::UpdateContainerResourcesRequest* request,
                                                      cri::UpdateContainerResourcesResponse*) {
    return serve("UpdateContainerResources",
                 [&] { return update_container(parts_, *request, patience(*context)); });
}

grpc::Status RuntimeService::CheckpointContainer(Context*, const cri::CheckpointContainerRequest* request,
                                                 cri::CheckpointContainerResponse*) {
    return serve("CheckpointContainer", [&] { return checkpoint_container(parts_.state, *request); });
}

grpc::Status RuntimeService::CheckpointPod(Context*, const cri::CheckpointPodRequest* request,
                                           cri::CheckpointPodResponse*) {
    return serve("CheckpointPod", [&] { return checkpoint_pod(parts_.state, *request); });
}

grpc::Status RuntimeService::RestorePod(Context*, const cri::RestorePodRequest*, cri::RestorePodResponse*) {
    return serve("RestorePod", [] { return restore_pod(); });
}

grpc::Status RuntimeService::ReopenContainerLog(Context*, const cri::ReopenContainerLogRequest* request,
                                                cri::ReopenContainerLogResponse*) {
    return serve("ReopenContainerLog",
                 [&] { return reopen_log(parts_.state, parts_.hub, request->container_id()); });
}

grpc::Status RuntimeService::ExecSync(Context*, const cri::ExecSyncRequest* request,
                                      cri::ExecSyncResponse* response) {
    return serve_into("ExecSync", response, [&] { return exec_sync(parts_, *request); });
}

grpc::Status RuntimeService::Exec(Context*, const cri::ExecRequest* request, cri::ExecResponse* response) {
    return serve("Exec", [&]() -> orlop::Status {
        response->set_url(TRY(exec_url(parts_, streams_, *request)));
        return ok();
    });
}

grpc::Status RuntimeService::Attach(Context*, const cri::AttachRequest* request,
                                    cri::AttachResponse* response) {
    return serve("Attach", [&]() -> orlop::Status {
        response->set_url(TRY(attach_url(parts_, streams_, *request)));
        return ok();
    });
}

grpc::Status RuntimeService::PortForward(Context*, const cri::PortForwardRequest* request,
                                         cri::PortForwardResponse* response) {
    return serve("PortForward", [&]() -> orlop::Status {
        response->set_url(TRY(port_forward_url(parts_, streams_, *request)));
        return ok();
    });
}

grpc::Status RuntimeService::GetContainerEvents(Context* context, const cri::GetEventsRequest*,
                                                grpc::ServerWriter<cri::ContainerEventResponse>* writer) {
    return serve("GetContainerEvents", [&] { return stream_events(events_, *context, *writer); });
}

grpc::Status RuntimeService::ContainerStats(Context*, const cri::ContainerStatsRequest* request,
                                            cri::ContainerStatsResponse* response) {
    return serve("ContainerStats", [&]() -> orlop::Status {
        *response->mutable_stats() = TRY(stats_of_container(parts_, sampler_, request->container_id()));
        return ok();
    });
}

grpc::Status RuntimeService::ListContainerStats(Context*, const cri::ListContainerStatsRequest* request,
                                                cri::ListContainerStatsResponse* response) {
    each_container_stats(parts_, sampler_, request->filter(), [&](cri::ContainerStats stats) {
        *response->add_stats() = std::move(stats);
        return true;
    });
    return grpc::Status::OK;
}

grpc::Status RuntimeService::PodSandboxStats(Context*, const cri::PodSandboxStatsRequest* request,
                                             cri::PodSandboxStatsResponse* response) {
    return serve("PodSandboxStats", [&]() -> orlop::Status {
        *response->mutable_stats() = TRY(stats_of_sandbox(parts_, sampler_, request->pod_sandbox_id()));
        return ok();
    });
}

grpc::Status RuntimeService::ListPodSandboxStats(Context*, const cri::ListPodSandboxStatsRequest* request,
                                                 cri::ListPodSandboxStatsResponse* response) {
    each_sandbox_stats(parts_, sampler_, request->filter(), [&](cri::PodSandboxStats stats) {
        *response->add_stats() = std::move(stats);
        return true;
    });
    return grpc::Status::OK;
}

grpc::Status RuntimeService::ListMetricDescriptors(Context*, const cri::ListMetricDescriptorsRequest*,
                                                   cri::ListMetricDescriptorsResponse* response) {
    for (auto& descriptor : metric_descriptors()) *response->add_descriptors() = std::move(descriptor);
    return grpc::Status::OK;
}

grpc::Status RuntimeService::ListPodSandboxMetrics(Context*, const cri::ListPodSandboxMetricsRequest*,
                                                   cri::ListPodSandboxMetricsResponse* response) {
    each_sandbox_metrics(parts_, sampler_, [&](cri::PodSandboxMetrics metrics) {
        *response->add_pod_metrics() = std::move(metrics);
        return true;
    });
    return grpc::Status::OK;
}

}  // namespace orlop::core
