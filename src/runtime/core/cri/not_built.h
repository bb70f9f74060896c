// The RPCs of the CRI that this runtime does not have yet, each answering with its name.
#pragma once

#include <string>

#include "cri/api.grpc.pb.h"

namespace orlop::core {

namespace cri = ::runtime::v1;

inline grpc::Status not_built(const std::string& rpc) {
    return {grpc::StatusCode::UNIMPLEMENTED, rpc + " is not built yet"};
}

class NotBuiltRuntime : public cri::RuntimeService::Service {
    using Context = grpc::ServerContext;
    template <class T>
    using Writer = grpc::ServerWriter<T>;

  public:
    grpc::Status StreamPodSandboxes(Context*, const cri::StreamPodSandboxesRequest*,
                                    Writer<cri::StreamPodSandboxesResponse>*) override {
        return not_built("StreamPodSandboxes");
    }
    grpc::Status StreamContainers(Context*, const cri::StreamContainersRequest*,
                                  Writer<cri::StreamContainersResponse>*) override {
        return not_built("StreamContainers");
    }
    grpc::Status ContainerStats(Context*, const cri::ContainerStatsRequest*,
                                cri::ContainerStatsResponse*) override {
        return not_built("ContainerStats");
    }
    grpc::Status ListContainerStats(Context*, const cri::ListContainerStatsRequest*,
                                    cri::ListContainerStatsResponse*) override {
        return not_built("ListContainerStats");
    }
    grpc::Status StreamContainerStats(Context*, const cri::StreamContainerStatsRequest*,
                                      Writer<cri::StreamContainerStatsResponse>*) override {
        return not_built("StreamContainerStats");
    }
    grpc::Status PodSandboxStats(Context*, const cri::PodSandboxStatsRequest*,
                                 cri::PodSandboxStatsResponse*) override {
        return not_built("PodSandboxStats");
    }
    grpc::Status ListPodSandboxStats(Context*, const cri::ListPodSandboxStatsRequest*,
                                     cri::ListPodSandboxStatsResponse*) override {
        return not_built("ListPodSandboxStats");
    }
    grpc::Status StreamPodSandboxStats(Context*, const cri::StreamPodSandboxStatsRequest*,
                                       Writer<cri::StreamPodSandboxStatsResponse>*) override {
        return not_built("StreamPodSandboxStats");
    }
    grpc::Status ListMetricDescriptors(Context*, const cri::ListMetricDescriptorsRequest*,
                                       cri::ListMetricDescriptorsResponse*) override {
        return not_built("ListMetricDescriptors");
    }
    grpc::Status ListPodSandboxMetrics(Context*, const cri::ListPodSandboxMetricsRequest*,
                                       cri::ListPodSandboxMetricsResponse*) override {
        return not_built("ListPodSandboxMetrics");
    }
    grpc::Status StreamPodSandboxMetrics(Context*, const cri::StreamPodSandboxMetricsRequest*,
                                         Writer<cri::StreamPodSandboxMetricsResponse>*) override {
        return not_built("StreamPodSandboxMetrics");
    }
};

}  // namespace orlop::core
