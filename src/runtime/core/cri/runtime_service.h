// runtime.v1.RuntimeService: the switchboard. What a call does is in its handler (handlers.h, status.h,
// events.h).
#pragma once

#include <string>

#include "runtime/core/cri/not_built.h"
#include "runtime/core/parts.h"
#include "runtime/streaming/server.h"

namespace orlop::core {

class RuntimeService final : public NotBuiltRuntime {
    using Context = grpc::ServerContext;

  public:
    // `config_json`: the daemon's settings, for Status.
    RuntimeService(Parts& parts, EventBus& events, streaming::Server& streams, std::string config_json)
        : parts_(parts), events_(events), streams_(streams), config_json_(std::move(config_json)) {}

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

  private:
    Parts& parts_;
    EventBus& events_;
    streaming::Server& streams_;
    std::string config_json_;
};

}  // namespace orlop::core
