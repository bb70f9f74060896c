// The work behind the RPCs: free functions that receive what they use. The services (runtime_service.h,
// image_service.h) only translate between them and gRPC.
#pragma once

#include <string>

#include "runtime/core/cri/views.h"
#include "runtime/core/parts.h"
#include "runtime/streaming/server.h"

namespace orlop::core {

// `wait` everywhere: how long a call may wait for another one that holds the pod or the name.

// sandbox_run.cpp: the id.
Result<std::string> run_sandbox(Parts& parts, const cri::RunPodSandboxRequest& request, Nanos wait);

// sandbox_stop.cpp
Status stop_sandbox(Parts& parts, const std::string& id, Nanos wait);
Status remove_sandbox(Parts& parts, const std::string& id, Nanos wait);

// sandbox_query.cpp
cri::ListPodSandboxResponse list_sandboxes(const State& state, const cri::PodSandboxFilter& filter);
Result<cri::PodSandboxStatusResponse> sandbox_status(const State& state, const Paths& paths,
                                                     const Clock& clock,
                                                     const cri::PodSandboxStatusRequest& request);

// container_create.cpp: the id.
Result<std::string> create_container(Parts& parts, const cri::CreateContainerRequest& request, Nanos wait);
// The parts of a log path, joined; "" without a log. Invalid: absolute, "..", or a log without a directory.
Result<std::string> log_path_of(const cri::PodSandboxConfig& sandbox, const cri::ContainerConfig& container);

// container_start.cpp
// The container of that pod whose process namespace another one is to share.
Result<Containers::Ptr> running_target(const State& state, const std::string& sandbox, const std::string& id);
Status start_container(Parts& parts, const std::string& id, Nanos wait);

// container_stop.cpp
Status stop_container(Parts& parts, const std::string& id, Nanos grace);
Status remove_container(Parts& parts, const std::string& id, Nanos wait);
// For whoever holds the pod: kills, frees and erases one container.
Status remove_container_locked(Parts& parts, const ContainerRecord& container);
// Kills what is left in the cgroup of a container that has ended, and removes it.
Status release_cgroup(Parts& parts, const ContainerRecord& container);

// container_query.cpp
cri::ListContainersResponse list_containers(const State& state, const cri::ContainerFilter& filter);
Result<cri::ContainerStatusResponse> container_status(const State& state,
                                                      const cri::ContainerStatusRequest& request);
Status reopen_log(const State& state, ShimHub& hub, const std::string& id);

// exec_sync.cpp
Result<cri::ExecSyncResponse> exec_sync(Parts& parts, const cri::ExecSyncRequest& request);

// streaming_urls.cpp: where a client gets the streams, once. Precondition: not running, or not ready.
Result<std::string> exec_url(Parts& parts, streaming::Server& server, const cri::ExecRequest& request);
Result<std::string> attach_url(Parts& parts, streaming::Server& server, const cri::AttachRequest& request);
Result<std::string> port_forward_url(Parts& parts, streaming::Server& server,
                                     const cri::PortForwardRequest& request);

// plan_file.cpp: the plan of a created container, as it is on disk.
Status save_plan(const Dir& container, const launch::LaunchPlan& plan);
Result<launch::LaunchPlan> load_plan(const Containers& containers, const std::string& id);
// How a process gets into a cgroup.
launch::CgroupJoin join_of(const cgroups::Cgroup& cgroup);

}  // namespace orlop::core
