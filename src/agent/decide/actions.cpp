#include "agent/decide/actions.h"

#include <algorithm>

namespace orlop::agent {

namespace {

bool ended(const ObservedContainer& c) {
    return c.state == RunState::Exited || c.state == RunState::Unknown;
}

std::string seconds(Nanos t) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(t).count()) + "s";
}

class Decision {
  public:
    Decision(const kube::Pod& pod, const ObservedPod& observed, const PodMemory& memory, const NodeView& node)
        : pod_(pod), observed_(observed), memory_(memory), node_(node) {}

    PodActions run() {
        collect_garbage();
        const bool done = finished();
        const ObservedSandbox* sandbox = usable_sandbox();
        if (done) {
            out_.finished = true;
            wind_up();
        } else if (sandbox == nullptr) {
            replace_sandbox();
        } else {
            out_.sandbox_id = sandbox->id;
            if (initialize(sandbox->id)) run_containers();
        }
        // Stopping comes first and alone: what follows depends on how it ended.
        if (!out_.kills.empty()) {
            out_.starts.clear();
            out_.create_sandbox.reset();
        }
        return std::move(out_);
    }

  private:
    // --- the sandbox ---

    const ObservedSandbox* usable_sandbox() const {
        if (observed_.sandboxes.empty()) return nullptr;
        const ObservedSandbox& newest = observed_.sandboxes.front();
        return newest.ready && newest.host_network == pod_.spec.host_network ? &newest : nullptr;
    }

    void replace_sandbox() {
        for (const ObservedContainer& c : observed_.containers) {
            if (c.state == RunState::Running) out_.kills.push_back({c.id, c.name, "its sandbox is gone"});
        }
        for (const ObservedSandbox& s : observed_.sandboxes) {
            if (s.ready) out_.stop_sandboxes.push_back(s.id);
        }
        if (!pod_.spec.host_network && !node_.network_ready) {
            out_.pod_waiting = Wait{"NetworkNotReady", "network is not ready: " + node_.network_message};
            return;
        }
        if (memory_.sandbox_failure) {
            out_.pod_waiting = memory_.sandbox_failure;
            if (memory_.sandbox_retry_at > node_.now) return wake(memory_.sandbox_retry_at);
        }
        if (observed_.sandboxes.empty()) {
            out_.create_sandbox = 0;
            return;
        }
        const ObservedSandbox& old = observed_.sandboxes.front();
        // A sandbox that died by itself still holds its network until it is stopped.
        if (!old.ready) out_.stop_sandboxes.push_back(old.id);
        out_.create_sandbox = old.attempt + 1;
    }

    // --- the end ---

    bool init_failed() const {
        if (pod_.spec.restart_policy != kube::RestartPolicy::Never) return false;
        return std::any_of(pod_.spec.init_containers.begin(), pod_.spec.init_containers.end(),
                           [&](const kube::Container& c) {
                               const ObservedContainer* seen = observed_.latest(c.name);
                               return !c.restartable_init() && seen != nullptr && ended(*seen) &&
                                      seen->exit_code != 0;
                           });
    }

    bool finished() const {
        if (init_failed()) return true;
        return std::all_of(
            pod_.spec.containers.begin(), pod_.spec.containers.end(), [&](const kube::Container& c) {
                const ObservedContainer* seen = observed_.latest(c.name);
                return seen != nullptr && ended(*seen) && !restarts_after(pod_.spec.restart_policy, *seen);
            });
    }

    void wind_up() {
        out_.kills = next_to_stop(pod_, observed_);
        if (!out_.kills.empty()) return;
        for (const ObservedSandbox& s : observed_.sandboxes) {
            if (s.ready) out_.stop_sandboxes.push_back(s.id);
        }
    }

    // --- containers ---

    bool any_app_container_in(const std::string& sandbox) const {
        return std::any_of(
            pod_.spec.containers.begin(), pod_.spec.containers.end(),
            [&](const kube::Container& c) { return observed_.latest_in(c.name, sandbox) != nullptr; });
    }

    // True when the containers proper may run.
    bool initialize(const std::string& sandbox) {
        const bool initialized = any_app_container_in(sandbox);
        for (size_t i = 0; i < pod_.spec.init_containers.size(); ++i) {
            const kube::Container& c = pod_.spec.init_containers[i];
            const ObservedContainer* seen = observed_.latest_in(c.name, sandbox);
            const bool running = seen != nullptr && seen->state == RunState::Running;
            if (c.restartable_init()) {
                if (running && !changed(c, *seen)) continue;
                if (running) {
                    out_.kills.push_back({seen->id, c.name, "its definition changed"});
                } else {
                    start(c, true, i, seen);
                }
                if (!initialized) return false;
                continue;
            }
            if (initialized || (seen != nullptr && ended(*seen) && seen->exit_code == 0)) continue;
            if (!running) start(c, true, i, seen);
            return false;
        }
        return true;
    }

    void run_containers() {
        for (size_t i = 0; i < pod_.spec.containers.size(); ++i) {
            const kube::Container& c = pod_.spec.containers[i];
            const ObservedContainer* seen = observed_.latest(c.name);
            if (seen != nullptr && seen->state == RunState::Running) {
                if (seen->sandbox_id != out_.sandbox_id)
                    out_.kills.push_back({seen->id, c.name, "its sandbox is gone"});
                else if (changed(c, *seen))
                    out_.kills.push_back({seen->id, c.name, "its definition changed"});
                continue;
            }
            const bool other_text = seen != nullptr && changed(c, *seen);
            if (seen != nullptr && ended(*seen) && !other_text &&
                !restarts_after(pod_.spec.restart_policy, *seen))
                continue;
            start(c, false, i, seen);
        }
    }

    static bool changed(const kube::Container& c, const ObservedContainer& seen) {
        return !seen.hash.empty() && seen.hash != c.hash;
    }

    void start(const kube::Container& c, bool init, size_t index, const ObservedContainer* in_sandbox) {
        const ContainerMemory& known = memory_.of(c.name);
        const ObservedContainer* last = in_sandbox != nullptr ? in_sandbox : observed_.latest(c.name);
        if (known.pulling) {
            out_.waiting[c.name] =
                known.failure.value_or(Wait{"ContainerCreating", "pulling image " + c.image});
            return;
        }
        if (known.failure && known.retry_at > node_.now) {
            out_.waiting[c.name] = *known.failure;
            return wake(known.retry_at);
        }
        uint32_t restarts = 0;
        if (last != nullptr && last->state == RunState::Created) {
            // Made but never started: the attempt is made again.
            out_.remove_containers.push_back(last->id);
            restarts = last->restarts;
        } else if (last != nullptr) {
            restarts = last->restarts + 1;
            if (hold_back(c, known.backoff, *last)) return;
        }
        out_.starts.push_back({c.name, init, index, restarts});
    }

    bool hold_back(const kube::Container& c, const Backoff& backoff, const ObservedContainer& last) {
        const Nanos at = ready_at(backoff, last.ended, node_.max_backoff);
        if (at <= node_.now) return false;
        out_.waiting[c.name] = {"CrashLoopBackOff", "back-off " + seconds(backoff.delay) +
                                                        " restarting failed container=" + c.name +
                                                        " pod=" + pod_.meta.name + "_" + pod_.meta.ns};
        wake(at);
        return true;
    }

    // --- what is no longer needed ---

    // Of each container the newest is kept, and the newest that ended, for its last state.
    void collect_garbage() {
        std::map<std::string, int> ended_seen;
        std::map<std::string, int> in_sandbox;
        for (const ObservedContainer& c : observed_.containers) {
            const bool newest = observed_.latest(c.name) == &c;
            const bool keep = c.state == RunState::Running || newest || (ended(c) && ended_seen[c.name] == 0);
            if (ended(c) && !newest) ++ended_seen[c.name];
            if (keep)
                ++in_sandbox[c.sandbox_id];
            else
                out_.remove_containers.push_back(c.id);
        }
        for (size_t i = 1; i < observed_.sandboxes.size(); ++i) {
            const ObservedSandbox& s = observed_.sandboxes[i];
            if (!s.ready && in_sandbox[s.id] == 0) out_.remove_sandboxes.push_back(s.id);
        }
    }

    void wake(Nanos at) { out_.wake_at = out_.wake_at ? std::min(*out_.wake_at, at) : at; }

    const kube::Pod& pod_;
    const ObservedPod& observed_;
    const PodMemory& memory_;
    const NodeView& node_;
    PodActions out_;
};

}  // namespace

bool restarts_after(kube::RestartPolicy policy, const ObservedContainer& c) {
    switch (policy) {
        case kube::RestartPolicy::Always:
            return true;
        case kube::RestartPolicy::OnFailure:
            return c.exit_code != 0 || c.state == RunState::Unknown;
        case kube::RestartPolicy::Never:
            return false;
    }
    return false;
}

PodActions compute_pod_actions(const kube::Pod& pod, const ObservedPod& observed, const PodMemory& memory,
                               const NodeView& node) {
    return Decision(pod, observed, memory, node).run();
}

std::vector<Kill> next_to_stop(const kube::Pod& pod, const ObservedPod& observed) {
    const auto sidecar = [&](const std::string& name) {
        return std::any_of(pod.spec.init_containers.begin(), pod.spec.init_containers.end(),
                           [&](const kube::Container& c) { return c.name == name && c.restartable_init(); });
    };
    std::vector<Kill> out;
    for (const ObservedContainer& c : observed.containers) {
        if (c.state == RunState::Running && !sidecar(c.name)) out.push_back({c.id, c.name, "its pod ends"});
    }
    if (!out.empty()) return out;
    for (auto c = pod.spec.init_containers.rbegin(); c != pod.spec.init_containers.rend(); ++c) {
        for (const ObservedContainer& seen : observed.containers) {
            if (seen.name == c->name && seen.state == RunState::Running)
                return {{seen.id, seen.name, "its pod ends"}};
        }
    }
    return {};
}

}  // namespace orlop::agent
