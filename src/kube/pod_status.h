// The status of a pod as it is reported (kubernetes.io, API reference, PodStatus v1 core).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/document.h"
#include "kube/duration.h"

namespace orlop::kube {

struct ContainerWaiting {
    std::string reason;
    std::string message;
    bool operator==(const ContainerWaiting&) const = default;
};
struct ContainerRunning {
    Time started_at;
    bool operator==(const ContainerRunning&) const = default;
};
struct ContainerTerminated {
    int32_t exit_code = 0;
    std::string reason;
    std::string message;
    Time started_at;
    Time finished_at;
    std::string container_id;
    bool operator==(const ContainerTerminated&) const = default;
};
// At most one is set.
struct ContainerState {
    std::optional<ContainerWaiting> waiting;
    std::optional<ContainerRunning> running;
    std::optional<ContainerTerminated> terminated;
    bool operator==(const ContainerState&) const = default;
};

struct ContainerStatus {
    std::string name;
    ContainerState state;
    ContainerState last_state;
    bool ready = false;
    bool started = false;
    int32_t restart_count = 0;
    std::string image;
    std::string image_id;
    std::string container_id;  // <runtime>://<id>
    bool operator==(const ContainerStatus&) const = default;
};

struct PodCondition {
    std::string type;
    std::string status;  // True | False | Unknown
    std::string reason;
    std::string message;
    Time last_transition;
    bool operator==(const PodCondition&) const = default;
};

struct Ip {
    std::string ip;
    bool operator==(const Ip&) const = default;
};

struct PodStatus {
    std::string phase = "Pending";
    std::string reason;
    std::string message;
    std::vector<PodCondition> conditions;
    std::string host_ip;
    std::vector<Ip> host_ips;
    std::string pod_ip;
    std::vector<Ip> pod_ips;
    Time start_time;
    std::string qos_class;
    std::vector<ContainerStatus> init_containers;
    std::vector<ContainerStatus> containers;
    bool operator==(const PodStatus&) const = default;
};

Json status_json(const PodStatus& status);

}  // namespace orlop::kube
