#include "agent/node/pod_worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "agent/act/observe.h"

namespace orlop::agent {

namespace {

// 1 s, 2 s, 4 s, 8 s, 10 s, 10 s, ...
Nanos retry_delay(unsigned failures) {
    return std::min<Nanos>(std::chrono::seconds(1ULL << std::min(failures, 4U)), std::chrono::seconds(10));
}

// Pulls that fail wait longer: 10 s doubling to 300 s, as containers that crash.
Nanos pull_delay(unsigned failures) {
    return std::min<Nanos>(std::chrono::seconds(10ULL << std::min(failures, 5U)), std::chrono::seconds(300));
}

}  // namespace

PodWorker::PodWorker(const WorkerTools& tools, std::shared_ptr<const kube::Pod> pod,
                     std::optional<Wait> rejected)
    : tools_(tools), pod_(std::move(pod)), rejected_(std::move(rejected)), first_seen_{tools.clock.wall()} {
    refresh_status();
}

std::string PodWorker::signature() const {
    return signature_of(observed_);
}

// --- wishes -----------------------------------------------------------------------------------------------

void PodWorker::update(std::shared_ptr<const kube::Pod> pod, std::optional<Wait> rejected) {
    pod_ = std::move(pod);
    rejected_ = std::move(rejected);
    // Another text may cure what failed.
    memory_.sandbox_failure.reset();
    for (auto& [name, memory] : memory_.containers) memory.failure.reset();
    refresh_status();
    step();
}

void PodWorker::hold(bool held) {
    if (held == held_) return;
    held_ = held;
    refresh_status();
    step();
}

void PodWorker::terminate() {
    if (terminating_) return;
    terminating_ = true;
    held_ = false;
    retry_at_ = Nanos(0);
    spdlog::info("pod {}: ends", pod_->full_name());
    step();
}

void PodWorker::look() {
    stale_ = true;
    step();
}

void PodWorker::tick() {
    const auto at = next_wake();
    if (at && *at <= tools_.clock.monotonic()) step();
}

std::optional<Nanos> PodWorker::next_wake() const {
    if (busy_ || finished_ || held_ || !tools_.host.runtime_ready()) return {};
    if (retry_at_ != Nanos(0)) return retry_at_;
    return terminating_ || rejected_ ? std::nullopt : actions_.wake_at;
}

// --- the cycle --------------------------------------------------------------------------------------------

void PodWorker::step() {
    if (busy_ || finished_ || held_ || !tools_.host.runtime_ready()) return;
    if (rejected_ && !terminating_) return;
    if (retry_at_ > tools_.clock.monotonic()) return;
    retry_at_ = Nanos(0);
    if (stale_) return observe();
    if (terminating_) return terminate_step();
    sync_step();
}

void PodWorker::observe() {
    busy_ = true;
    stale_ = false;
    tools_.executor.submit(
        Lane::Calls, [hands = tools_.hands, uid = pod_->meta.uid, known = observed_, &host = tools_.host] {
            auto result = observe_pod(hands.cri, uid, known, hands.node.paths);
            return [&host, uid, result = std::move(result)]() mutable {
                host.with_worker(uid, [&](PodWorker& worker) { worker.observed(std::move(result)); });
            };
        });
}

void PodWorker::observed(Result<ObservedPod> result) {
    busy_ = false;
    if (!result) {
        stale_ = true;
        return failed(result.error(), "look at the pod");
    }
    failures_ = 0;
    merge(std::move(*result));
    step();
}

void PodWorker::sync_step() {
    actions_ = compute_pod_actions(*pod_, observed_, memory_, tools_.host.view());
    refresh_status();
    if (!actions_.kills.empty()) return stop(actions_.kills);
    if (!actions_.nothing_to_do()) start_apply();
}

void PodWorker::terminate_step() {
    const std::vector<Kill> kills = next_to_stop(*pod_, observed_);
    if (!kills.empty()) return stop(kills);
    start_tear_down();
}

// --- stopping ---------------------------------------------------------------------------------------------

void PodWorker::stop(const std::vector<Kill>& kills) {
    busy_ = true;
    pending_stops_ = static_cast<unsigned>(kills.size());
    for (const Kill& kill : kills) {
        spdlog::info("pod {}: stop container {} ({}): {}", pod_->full_name(), kill.name, kill.id, kill.why);
        tools_.hands.cri.containers.stop(
            kill.id, pod_->spec.grace(),
            [&executor = tools_.executor, &host = tools_.host, uid = pod_->meta.uid,
             name = kill.name](Status result) {
                executor.post([&host, uid, name, result] {
                    host.with_worker(uid, [&](PodWorker& worker) { worker.stopped(name, result); });
                });
            });
    }
}

void PodWorker::stopped(const std::string& name, const Status& result) {
    const bool fine = result.ok() || result.error().kind() == Kind::NotFound;
    if (!fine) failed(result.error(), "stop container " + name);
    if (--pending_stops_ != 0) return;
    busy_ = false;
    stale_ = true;
    step();
}

void PodWorker::start_tear_down() {
    busy_ = true;
    tools_.executor.submit(
        Lane::Calls, [hands = tools_.hands, meta = pod_->meta, seen = observed_, &host = tools_.host] {
            auto result = tear_down(hands, meta, seen);
            return [&host, uid = meta.uid, result = std::move(result)]() mutable {
                host.with_worker(uid, [&](PodWorker& worker) { worker.torn_down(std::move(result)); });
            };
        });
}

void PodWorker::torn_down(Result<ObservedPod> result) {
    busy_ = false;
    if (!result) {
        stale_ = true;
        return failed(result.error(), "remove the pod");
    }
    merge(std::move(*result));
    if (observed_.sandboxes.empty() && observed_.containers.empty()) {
        finished_ = true;
        spdlog::info("pod {}: is gone", pod_->full_name());
        return;
    }
    step();
}

// --- starting ---------------------------------------------------------------------------------------------

void PodWorker::start_apply() {
    busy_ = true;
    const NodeView view = tools_.host.view();
    for (const Start& start : actions_.starts) {
        const ObservedContainer* last = observed_.latest(start.name);
        ContainerMemory& memory = memory_.containers[start.name];
        if (last != nullptr && start.restarts > last->restarts)
            memory.backoff = advance(memory.backoff, last->ended, view.now, view.max_backoff);
    }
    ApplyInput input{pod_, actions_, observed_, std::exchange(pulled_, {})};
    tools_.executor.submit(Lane::Calls, [hands = tools_.hands, input = std::move(input),
                                         &host = tools_.host] {
        auto outcome = std::make_shared<ApplyOutcome>(apply(hands, input));
        return [&host, uid = input.pod->meta.uid, actions = input.actions, outcome] {
            host.with_worker(uid, [&](PodWorker& worker) { worker.applied(actions, std::move(*outcome)); });
        };
    });
}

void PodWorker::applied(const PodActions& actions, ApplyOutcome outcome) {
    busy_ = false;
    const Nanos now = tools_.clock.monotonic();
    if (outcome.sandbox_failure) {
        memory_.sandbox_failure = outcome.sandbox_failure;
        memory_.sandbox_retry_at = now + retry_delay(memory_.sandbox_failures++);
        spdlog::warn("pod {}: {}: {}", pod_->full_name(), outcome.sandbox_failure->reason,
                     outcome.sandbox_failure->message);
    } else if (!outcome.sandbox_id.empty()) {
        memory_.sandbox_failure.reset();
        memory_.sandbox_failures = 0;
        spdlog::info("pod {}: sandbox {} attempt {}", pod_->full_name(), outcome.sandbox_id,
                     actions.create_sandbox.value_or(0));
    }
    for (const auto& [name, start] : outcome.starts) remember_start(name, start);
    if (outcome.after)
        merge(std::move(*outcome.after));
    else
        stale_ = true;
    if (outcome.runtime_gone) tools_.host.runtime_failed(Error::unavailable("the runtime went away"));
    if (!outcome.cleanup) return failed(outcome.cleanup.error(), "clean up");
    failures_ = 0;
    step();
}

void PodWorker::remember_start(const std::string& name, const StartOutcome& outcome) {
    ContainerMemory& memory = memory_.containers[name];
    if (outcome.needs_pull) return start_pull(name);
    if (!outcome.failure) {
        memory.failure.reset();
        memory.failures = 0;
        spdlog::info("pod {}: container {} started ({})", pod_->full_name(), name, outcome.container_id);
        return;
    }
    memory.failure = outcome.failure;
    // A container that was made and could not start has ended: its own backoff counts.
    const bool ended = outcome.failure->reason == "RunContainerError";
    memory.retry_at = tools_.clock.monotonic() + (ended ? Nanos(0) : retry_delay(memory.failures++));
    spdlog::warn("pod {}: container {}: {}: {}", pod_->full_name(), name, outcome.failure->reason,
                 outcome.failure->message);
}

std::string PodWorker::image_of(const std::string& container) const {
    for (const auto* list : {&pod_->spec.init_containers, &pod_->spec.containers}) {
        for (const kube::Container& c : *list) {
            if (c.name == container) return c.image;
        }
    }
    return {};
}

void PodWorker::start_pull(const std::string& name) {
    ContainerMemory& memory = memory_.containers[name];
    if (memory.pulling) return;
    memory.pulling = true;
    tools_.executor.submit(
        Lane::Pulls, [hands = tools_.hands, pod = pod_, name, image = image_of(name), &host = tools_.host] {
            auto failure = pull_image(hands, *pod, image);
            return [&host, uid = pod->meta.uid, name, failure] {
                host.with_worker(uid, [&](PodWorker& worker) { worker.pulled(name, failure); });
            };
        });
}

void PodWorker::pulled(const std::string& name, std::optional<Wait> failure) {
    ContainerMemory& memory = memory_.containers[name];
    memory.pulling = false;
    if (failure) {
        spdlog::warn("pod {}: container {}: {}", pod_->full_name(), name, failure->message);
        memory.retry_at = tools_.clock.monotonic() + pull_delay(memory.failures++);
        memory.failure = std::move(failure);
    } else {
        memory.failure.reset();
        memory.failures = 0;
        pulled_.insert(name);
    }
    step();
}

// --- what is known ----------------------------------------------------------------------------------------

void PodWorker::merge(ObservedPod fresh) {
    const Nanos now = tools_.clock.monotonic();
    const int64_t wall = tools_.clock.wall().count();
    for (ObservedContainer& c : fresh.containers) {
        if (c.state != RunState::Exited && c.state != RunState::Unknown) continue;
        const auto same = std::find_if(observed_.containers.begin(), observed_.containers.end(),
                                       [&](const ObservedContainer& old) { return old.id == c.id; });
        const bool known = same != observed_.containers.end() && same->ended != Nanos(0);
        // A finish time in the future is a jump of the clock: count from now.
        const Nanos age(std::clamp<int64_t>(wall - c.finished_at, 0, now.count()));
        c.ended = known ? same->ended : now - age;
    }
    observed_ = std::move(fresh);
    refresh_status();
}

void PodWorker::failed(const Error& error, const std::string& what) {
    if (error.kind() == Kind::Unavailable) return tools_.host.runtime_failed(error);
    spdlog::warn("pod {}: {}: {}", pod_->full_name(), what, error.what());
    retry_at_ = tools_.clock.monotonic() + retry_delay(failures_++);
}

void PodWorker::refresh_status() {
    PodActions waiting = actions_;
    if (held_) waiting.pod_waiting = Wait{"Waiting", "the previous pod of this name has not ended yet"};
    kube::Time started = first_seen_;
    if (!observed_.sandboxes.empty())
        started = std::min(started, kube::Time{Nanos(observed_.sandboxes.back().created_at)});
    const StatusInput input{*pod_,
                            observed_,
                            waiting,
                            tools_.host.runtime_name(),
                            tools_.hands.node.host_ip,
                            started,
                            kube::Time{tools_.clock.wall()},
                            rejected_};
    status_ = compute_pod_status(input, status_);
}

}  // namespace orlop::agent
