// desired pod + observed pod + what failed before + now -> what to do. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/decide/backoff.h"
#include "agent/decide/observed.h"
#include "kube/pod.h"

namespace orlop::agent {

// Why something does not happen; `reason` is one of the waiting reasons of the API.
struct Wait {
    std::string reason;
    std::string message;
    bool operator==(const Wait&) const = default;
};

struct ContainerMemory {
    Backoff backoff;
    std::optional<Wait> failure;  // of the last attempt to create or start it, or to get its image
    Nanos retry_at{0};
    unsigned failures = 0;
    bool pulling = false;
};

// What the worker knows beyond what the runtime says. Lost when the agent restarts.
struct PodMemory {
    std::map<std::string, ContainerMemory> containers;
    std::optional<Wait> sandbox_failure;
    Nanos sandbox_retry_at{0};
    unsigned sandbox_failures = 0;

    const ContainerMemory& of(const std::string& name) const {
        static const ContainerMemory none;
        const auto at = containers.find(name);
        return at == containers.end() ? none : at->second;
    }
};

struct NodeView {
    Nanos now{0};  // monotonic
    Nanos max_backoff{std::chrono::seconds(300)};
    bool network_ready = true;
    std::string network_message;
};

struct Kill {
    std::string id;
    std::string name;
    std::string why;
    bool operator==(const Kill&) const = default;
};
struct Start {
    std::string name;
    bool init = false;
    size_t index = 0;
    uint32_t restarts = 0;
    bool operator==(const Start&) const = default;
};

// In the order in which they are to be done; kills come alone, the rest is decided anew after them.
struct PodActions {
    std::vector<Kill> kills;
    std::vector<std::string> stop_sandboxes;
    std::vector<std::string> remove_containers;
    std::vector<std::string> remove_sandboxes;
    std::optional<uint32_t> create_sandbox;  // attempt
    std::string sandbox_id;                  // where `starts` go
    std::vector<Start> starts;

    std::map<std::string, Wait> waiting;  // by container
    std::optional<Wait> pod_waiting;
    std::optional<Nanos> wake_at;  // when waiting ends, monotonic
    bool finished = false;         // every container ended for good

    bool nothing_to_do() const {
        return kills.empty() && stop_sandboxes.empty() && remove_containers.empty() &&
               remove_sandboxes.empty() && !create_sandbox && starts.empty();
    }
};

PodActions compute_pod_actions(const kube::Pod& pod, const ObservedPod& observed, const PodMemory& memory,
                               const NodeView& node);

// The next containers to stop when the pod goes: all but sidecars together, then sidecars one by one from
// the last to the first. Empty when nothing runs. Containers that the spec does not name count as ordinary.
std::vector<Kill> next_to_stop(const kube::Pod& pod, const ObservedPod& observed);

// Would the pod's policy start a container again that ended so?
bool restarts_after(kube::RestartPolicy policy, const ObservedContainer& ended);

}  // namespace orlop::agent
