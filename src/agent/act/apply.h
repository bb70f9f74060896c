// Does what was decided for one pod. Blocking; runs on the pool.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/act/cri.h"
#include "agent/act/pod_cgroups.h"
#include "agent/decide/actions.h"
#include "agent/decide/plan.h"

namespace orlop::agent {

// What a job needs; all of it outlives the pool.
struct Hands {
    Cri cri;
    PodCgroups& cgroups;
    const NodeFacts& node;
};

struct StartOutcome {
    std::string container_id;     // "" if it did not get that far
    std::optional<Wait> failure;  // why it does not run
    bool needs_pull = false;
};

struct ApplyOutcome {
    std::optional<Wait> sandbox_failure;
    std::string sandbox_id;  // that was made
    std::map<std::string, StartOutcome> starts;
    Status cleanup;  // of what had to be stopped and removed
    bool runtime_gone = false;
    Result<ObservedPod> after = ObservedPod();
};

struct ApplyInput {
    std::shared_ptr<const kube::Pod> pod;
    PodActions actions;
    ObservedPod observed;
    std::set<std::string> pulled;  // containers whose image was pulled for this attempt
};
ApplyOutcome apply(const Hands& hands, const ApplyInput& input);

// The image is on the node afterwards. A runtime that cannot pull is fine as long as the image is there.
std::optional<Wait> pull_image(const Hands& hands, const kube::Pod& pod, const std::string& image);

// Everything of the pod goes: sandboxes, containers, volumes, logs, cgroup. What is left is observed.
Result<ObservedPod> tear_down(const Hands& hands, const kube::ObjectMeta& meta, const ObservedPod& observed);

}  // namespace orlop::agent
