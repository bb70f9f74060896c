// runtime.v1.RuntimeService: the switchboard. What a call does is in its handler (handlers.h, status.h,
// events.h).
#pragma once

#include <string>

#include "cri/api.grpc.pb.h"
#include "runtime/core/parts.h"
#include "runtime/core/stats/sampler.h"
#include "runtime/streaming/server.h"

namespace orlop::core {

class RuntimeService final : public cri::RuntimeService::Service {
    using Context = grpc::ServerContext;

  public:
    // `config_json`: the daemon's settings, for Status.
    RuntimeService(Parts& parts, EventBus& events, streaming::Server& streams, Sampler& sampler,
                   std::string config_json)
        : parts_(parts),
          events_(events),
          streams_(streams),
          sampler_(sampler),
          config_json_(std::move(config_json)) {}

    grpc::Status Version(Context*, const cri::VersionRequest*, cri::VersionResponse*) override;
    grpc::Status Status(Context*, const cri::StatusRequest*, cri::StatusResponse*) override;
    grpc::Status UpdateRuntimeConfig(Context*, const cri::UpdateRuntimeConfigRequest*,
                                     cri::UpdateRuntimeConfigResponse*) override;
    grpc::Status RuntimeConfig(Context*, const cri::RuntimeConfigRequest*,
                               cri::RuntimeConfigResponse*) override;

    grpc::Status RunPodSandbox(Context*, const cri::RunPodSandboxRequest*,
                               cri::RunPodSandboxResponse*) override;
    grpc::Status StopPodSandbox(Context*, const cri::StopPodSandboxRequest*,
                                cri::StopPodSandboxResponse*) override;
    grpc::Status RemovePodSandbox(Context*, const cri::RemovePodSandboxRequest*,
                                  cri::RemovePodSandboxResponse*) override;
    grpc::Status PodSandboxStatus(Context*, const cri::PodSandboxStatusRequest*,
                                  cri::PodSandboxStatusResponse*) override;
    grpc::Status ListPodSandbox(Context*, const cri::ListPodSandboxRequest*,
                                cri::ListPodSandboxResponse*) override;

    grpc::Status UpdatePodSandboxResources(Context*, const cri::UpdatePodSandboxResourcesRequest*,
                                           cri::UpdatePodSandboxResourcesResponse*) override;

    grpc::Status CreateContainer(Context*, const cri::CreateContainerRequest*,
                                 cri::CreateContainerResponse*) override;
    grpc::Status StartContainer(Context*, const cri::StartContainerRequest*,
                                cri::StartContainerResponse*) override;
    grpc::Status StopContainer(Context*, const cri::StopContainerRequest*,
                               cri::StopContainerResponse*) override;
    grpc::Status RemoveContainer(Context*, const cri::RemoveContainerRequest*,
                                 cri::RemoveContainerResponse*) override;
    grpc::Status ListContainers(Context*, const cri::ListContainersRequest*,
                                cri::ListContainersResponse*) override;
    grpc::Status ContainerStatus(Context*, const cri::ContainerStatusRequest*,
                                 cri::ContainerStatusResponse*) override;
    grpc::Status UpdateContainerResources(Context*, const cri::UpdateContainerResourcesRequest*,
                                          cri::UpdateContainerResourcesResponse*) override;
    grpc::Status CheckpointContainer(Context*, const cri::CheckpointContainerRequest*,
                                     cri::CheckpointContainerResponse*) override;
    grpc::Status CheckpointPod(Context*, const cri::CheckpointPodRequest*,
                               cri::CheckpointPodResponse*) override;
    grpc::Status RestorePod(Context*, const cri::RestorePodRequest*, cri::RestorePodResponse*) override;
    grpc::Status ReopenContainerLog(Context*, const cri::ReopenContainerLogRequest*,
                                    cri::ReopenContainerLogResponse*) override;
    grpc::Status ExecSync(Context*, const cri::ExecSyncRequest*, cri::ExecSyncResponse*) override;
    grpc::Status Exec(Context*, const cri::ExecRequest*, cri::ExecResponse*) override;
    grpc::Status Attach(Context*, const cri::AttachRequest*, cri::AttachResponse*) override;
    grpc::Status PortForward(Context*, const cri::PortForwardRequest*, cri::PortForwardResponse*) override;
    grpc::Status GetContainerEvents(Context*, const cri::GetEventsRequest*,
                                    grpc::ServerWriter<cri::ContainerEventResponse>*) override;

    grpc::Status ContainerStats(Context*, const cri::ContainerStatsRequest*,
                                cri::ContainerStatsResponse*) override;
    grpc::Status ListContainerStats(Context*, const cri::ListContainerStatsRequest*,
                                    cri::ListContainerStatsResponse*) override;
    grpc::Status PodSandboxStats(Context*, const cri::PodSandboxStatsRequest*,
                                 cri::PodSandboxStatsResponse*) override;
    grpc::Status ListPodSandboxStats(Context*, const cri::ListPodSandboxStatsRequest*,
                                     cri::ListPodSandboxStatsResponse*) override;
    grpc::Status ListMetricDescriptors(Context*, const cri::ListMetricDescriptorsRequest*,
                                       cri::ListMetricDescriptorsResponse*) override;
    grpc::Status ListPodSandboxMetrics(Context*, const cri::ListPodSandboxMetricsRequest*,
                                       cri::ListPodSandboxMetricsResponse*) override;

    // The lists one item at a time (runtime_streams.cpp).
    grpc::Status StreamPodSandboxes(Context*, const cri::StreamPodSandboxesRequest*,
                                    grpc::ServerWriter<cri::StreamPodSandboxesResponse>*) override;
    grpc::Status StreamContainers(Context*, const cri::StreamContainersRequest*,
                                  grpc::ServerWriter<cri::StreamContainersResponse>*) override;
    grpc::Status StreamContainerStats(Context*, const cri::StreamContainerStatsRequest*,
                                      grpc::ServerWriter<cri::StreamContainerStatsResponse>*) override;
    grpc::Status StreamPodSandboxStats(Context*, const cri::StreamPodSandboxStatsRequest*,
                                       grpc::ServerWriter<cri::StreamPodSandboxStatsResponse>*) override;
    grpc::Status StreamPodSandboxMetrics(Context*, const cri::StreamPodSandboxMetricsRequest*,
                                         grpc::ServerWriter<cri::StreamPodSandboxMetricsResponse>*) override;

  private:
    Parts& parts_;
    EventBus& events_;
    streaming::Server& streams_;
    Sampler& sampler_;
    std::string config_json_;
};

}  // namespace orlop::core
