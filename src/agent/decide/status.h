// observed pod + what is waited for -> the status that is reported. Pure.
#pragma once

#include <optional>
#include <string>

#include "agent/decide/actions.h"
#include "agent/decide/observed.h"
#include "kube/pod.h"
#include "kube/pod_status.h"

namespace orlop::agent {

struct StatusInput {
    const kube::Pod& pod;
    const ObservedPod& observed;
    const PodActions& actions;  // for what is waited for
    std::string runtime_name;   // scheme of container ids: containerd, orlop
    std::string host_ip;
    kube::Time started;  // when the agent first saw the pod
    kube::Time now;      // for conditions that change
    std::optional<Wait> rejected;
};

// `previous` gives the times of conditions that did not change, and keeps a terminal phase terminal.
kube::PodStatus compute_pod_status(const StatusInput& in, const kube::PodStatus& previous);

}  // namespace orlop::agent
