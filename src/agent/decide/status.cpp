#include "agent/decide/status.h"

#include <algorithm>

#include "agent/decide/qos.h"

namespace orlop::agent {

namespace {

kube::Time time_of(int64_t nanos) {
    return {Nanos(nanos)};
}

kube::ContainerTerminated terminated(const StatusInput& in, const ObservedContainer& c) {
    kube::ContainerTerminated out;
    out.exit_code = c.exit_code;
    out.reason = c.reason;
    out.message = c.message;
    if (c.state == RunState::Unknown) {
        out.exit_code = 137;
        out.reason = "ContainerStatusUnknown";
        out.message = "The container could not be located when it was needed";
    }
    if (out.reason.empty()) out.reason = out.exit_code == 0 ? "Completed" : "Error";
    out.started_at = time_of(c.started_at);
    out.finished_at = time_of(c.finished_at);
    out.container_id = in.runtime_name + "://" + c.id;
    return out;
}

// The newest that ended before `newest`.
const ObservedContainer* before(const StatusInput& in, const ObservedContainer& newest) {
    bool passed = false;
    for (const ObservedContainer& c : in.observed.containers) {
        if (c.name != newest.name) continue;
        if (passed && c.state == RunState::Exited) return &c;
        passed = true;
    }
    return nullptr;
}

kube::ContainerStatus container_status(const StatusInput& in, const kube::Container& spec, const Wait& idle) {
    kube::ContainerStatus out;
    out.name = spec.name;
    out.image = spec.image;
    const auto waiting = in.actions.waiting.find(spec.name);
    const ObservedContainer* seen = in.observed.latest(spec.name);
    if (seen == nullptr) {
        const Wait& why = waiting == in.actions.waiting.end() ? idle : waiting->second;
        out.state.waiting = kube::ContainerWaiting{why.reason, why.message};
        return out;
    }
    out.container_id = in.runtime_name + "://" + seen->id;
    out.restart_count = static_cast<int32_t>(seen->restarts);
    if (!seen->image.empty()) out.image = seen->image;
    out.image_id = seen->image_ref;
    if (const ObservedContainer* earlier = before(in, *seen))
        out.last_state.terminated = terminated(in, *earlier);
    switch (seen->state) {
        case RunState::Running:
            out.state.running = kube::ContainerRunning{time_of(seen->started_at)};
            out.ready = out.started = true;
            break;
        case RunState::Created:
            out.state.waiting = waiting == in.actions.waiting.end()
                                    ? kube::ContainerWaiting{"ContainerCreating", ""}
                                    : kube::ContainerWaiting{waiting->second.reason, waiting->second.message};
            break;
        default:
            if (waiting != in.actions.waiting.end()) {
                out.state.waiting = kube::ContainerWaiting{waiting->second.reason, waiting->second.message};
                out.last_state.terminated = terminated(in, *seen);
            } else {
                out.state.terminated = terminated(in, *seen);
            }
    }
    return out;
}

bool init_done(const kube::Container& spec, const kube::ContainerStatus& status) {
    if (spec.restartable_init()) return status.started;
    return status.state.terminated && status.state.terminated->exit_code == 0;
}

bool all_initialized(const kube::Pod& pod, const kube::PodStatus& status) {
    // Once a container proper exists, a sidecar that is just restarting does not undo it.
    const bool begun = std::any_of(status.containers.begin(), status.containers.end(),
                                   [](const auto& c) { return !c.container_id.empty(); });
    if (begun) return true;
    for (size_t i = 0; i < status.init_containers.size(); ++i) {
        if (!init_done(pod.spec.init_containers[i], status.init_containers[i])) return false;
    }
    return true;
}

struct Counts {
    size_t never_started = 0;
    size_t running = 0;
    size_t stopped = 0;
    size_t succeeded = 0;
};

Counts count(const std::vector<kube::ContainerStatus>& list) {
    Counts out;
    for (const kube::ContainerStatus& c : list) {
        if (c.state.running)
            ++out.running;
        else if (c.state.terminated) {
            ++out.stopped;
            if (c.state.terminated->exit_code == 0) ++out.succeeded;
        } else if (c.last_state.terminated)
            ++out.stopped;
        else
            ++out.never_started;
    }
    return out;
}

std::string phase_of(const StatusInput& in, const kube::PodStatus& status, bool initialized) {
    const kube::RestartPolicy policy = in.pod.spec.restart_policy;
    for (size_t i = 0; i < status.init_containers.size(); ++i) {
        const auto& end = status.init_containers[i].state.terminated;
        if (!in.pod.spec.init_containers[i].restartable_init() && end && end->exit_code != 0 &&
            policy == kube::RestartPolicy::Never)
            return "Failed";
    }
    if (!initialized) return "Pending";
    const Counts n = count(status.containers);
    if (n.never_started != 0) return "Pending";
    if (n.running != 0 || policy == kube::RestartPolicy::Always) return "Running";
    if (n.succeeded == n.stopped) return "Succeeded";
    return policy == kube::RestartPolicy::Never ? "Failed" : "Running";
}

void set_condition(kube::PodStatus& status, const kube::PodStatus& previous, kube::PodCondition condition,
                   kube::Time now) {
    condition.last_transition = now;
    for (const kube::PodCondition& old : previous.conditions) {
        if (old.type == condition.type && old.status == condition.status)
            condition.last_transition = old.last_transition;
    }
    status.conditions.push_back(std::move(condition));
}

void set_conditions(const StatusInput& in, const kube::PodStatus& previous, bool initialized,
                    kube::PodStatus& status) {
    const auto add = [&](const char* type, bool yes, std::string reason, std::string message) {
        if (yes && reason != "PodCompleted") reason.clear(), message.clear();
        set_condition(status, previous, {type, yes ? "True" : "False", reason, message, {}}, in.now);
    };
    const bool sandbox = !in.observed.sandboxes.empty() && in.observed.sandboxes.front().ready;
    const std::string waits = in.actions.pod_waiting ? in.actions.pod_waiting->message : "";
    add("PodReadyToStartContainers", sandbox, in.actions.pod_waiting ? in.actions.pod_waiting->reason : "",
        waits);
    std::string incomplete;
    for (size_t i = 0; i < status.init_containers.size(); ++i) {
        if (!init_done(in.pod.spec.init_containers[i], status.init_containers[i]))
            incomplete += (incomplete.empty() ? "" : " ") + status.init_containers[i].name;
    }
    add("Initialized", initialized, "ContainersNotInitialized",
        "containers with incomplete status: [" + incomplete + "]");
    std::string unready;
    for (const kube::ContainerStatus& c : status.containers) {
        if (!c.ready) unready += (unready.empty() ? "" : " ") + c.name;
    }
    const bool ready = unready.empty() && initialized && status.phase == "Running";
    const bool completed = status.phase == "Succeeded";
    const std::string reason = completed ? "PodCompleted" : "ContainersNotReady";
    const std::string message = completed ? "" : "containers with unready status: [" + unready + "]";
    add("Ready", ready, reason, message);
    add("ContainersReady", ready, reason, message);
    add("PodScheduled", true, "", "");
}

kube::PodStatus rejected_status(const StatusInput& in) {
    kube::PodStatus out;
    out.phase = "Failed";
    out.reason = in.rejected->reason;
    out.message = "Pod was rejected: " + in.rejected->message;
    out.start_time = in.started;
    out.host_ip = in.host_ip;
    out.qos_class = qos_name(qos_class(in.pod));
    return out;
}

}  // namespace

kube::PodStatus compute_pod_status(const StatusInput& in, const kube::PodStatus& previous) {
    if (in.rejected) return rejected_status(in);
    kube::PodStatus out;
    out.qos_class = qos_name(qos_class(in.pod));
    out.start_time = in.started;
    out.host_ip = in.host_ip;
    if (!in.host_ip.empty()) out.host_ips.push_back({in.host_ip});
    const std::string why = in.actions.pod_waiting ? in.actions.pod_waiting->message : "";
    for (const kube::Container& c : in.pod.spec.init_containers)
        out.init_containers.push_back(container_status(in, c, {"PodInitializing", why}));
    const bool has_init = !in.pod.spec.init_containers.empty();
    for (const kube::Container& c : in.pod.spec.containers)
        out.containers.push_back(
            container_status(in, c, {has_init ? "PodInitializing" : "ContainerCreating", why}));
    const bool initialized = all_initialized(in.pod, out);
    out.phase = phase_of(in, out, initialized);
    if (previous.phase == "Succeeded" || previous.phase == "Failed") out.phase = previous.phase;
    // A terminal phase is withheld while something may still run.
    if ((out.phase == "Succeeded" || out.phase == "Failed") && in.observed.anything_running())
        out.phase = previous.phase.empty() ? "Pending" : previous.phase;
    if (in.actions.pod_waiting) {
        out.reason = in.actions.pod_waiting->reason;
        out.message = in.actions.pod_waiting->message;
    }
    if (in.pod.spec.host_network && !in.observed.sandboxes.empty())
        out.pod_ip = in.host_ip;
    else if (!in.observed.sandboxes.empty() && !in.observed.sandboxes.front().ips.empty())
        out.pod_ip = in.observed.sandboxes.front().ips.front();
    if (in.pod.spec.host_network && !out.pod_ip.empty())
        out.pod_ips.push_back({out.pod_ip});
    else if (!out.pod_ip.empty())
        for (const std::string& ip : in.observed.sandboxes.front().ips) out.pod_ips.push_back({ip});
    set_conditions(in, previous, initialized, out);
    return out;
}

}  // namespace orlop::agent
