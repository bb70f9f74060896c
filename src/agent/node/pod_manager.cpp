#include "agent/node/pod_manager.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "agent/act/pod_files.h"
#include "kube/names.h"
#include "kube/pod_read.h"

namespace orlop::agent {

namespace {

constexpr Nanos kAskWhenDown = std::chrono::seconds(1);
constexpr Nanos kAskWhenWaiting = std::chrono::seconds(5);
constexpr Nanos kAskAtRest = std::chrono::seconds(30);
constexpr Nanos kRelistWithEvents = std::chrono::seconds(60);
constexpr Nanos kStreamSettles = std::chrono::seconds(2);
constexpr Nanos kRelistWithout = std::chrono::seconds(1);

Condition condition_of(const cri::RuntimeStatus& status, const std::string& type) {
    for (const cri::RuntimeCondition& each : status.conditions()) {
        if (each.type() == type) return {each.status(), each.reason(), each.message()};
    }
    return {false, "Unknown", "the runtime does not report " + type};
}

}  // namespace

// Version is asked again each time the runtime comes back: it may be another one.
struct PodManager::Answer {
    Result<cri::RuntimeStatus> status;
    std::optional<cri::VersionResponse> version;
};

PodManager::PodManager(const Clock& clock, Executor& executor, const Hands& hands,
                       const ManagerSettings& settings)
    : clock_(clock),
      executor_(executor),
      hands_(hands),
      settings_(settings),
      runtime_{false, "RuntimeUnknown", "the runtime has not been asked yet"},
      network_{false, "RuntimeUnknown", "the runtime has not been asked yet"} {}

// --- wishes -----------------------------------------------------------------------------------------------

void PodManager::set_desired(std::vector<DesiredPod> desired) {
    desired_.clear();
    for (DesiredPod& each : desired) desired_.emplace(each.pod->meta.uid, std::move(each));
    const bool first = !sources_ready_;
    sources_ready_ = true;
    reconcile();
    // Now that all sources are known, what nobody wants may end.
    if (first) relist_at_ = clock_.monotonic();
}

void PodManager::reconcile() {
    for (auto& [uid, worker] : workers_) {
        if (!desired_.contains(uid)) worker->terminate();
    }
    for (const auto& [uid, wanted] : desired_) {
        const auto at = workers_.find(uid);
        if (at == workers_.end()) {
            add(wanted);
            continue;
        }
        PodWorker& worker = *at->second;
        // One that is ending ends first; settle() makes the new one.
        if (worker.terminating() || &worker.pod() == wanted.pod.get()) continue;
        worker.update(wanted.pod,
                      reject(*wanted.pod, wanted.refusals, counted_without(uid), settings_.admission));
    }
    settle();
}

size_t PodManager::counted_without(const std::string& uid) const {
    return static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(), [&](const auto& each) {
        return each.first != uid && each.second->counts();
    }));
}

void PodManager::add(const DesiredPod& wanted) {
    const std::string& uid = wanted.pod->meta.uid;
    auto rejected = reject(*wanted.pod, wanted.refusals, counted_without(uid), settings_.admission);
    if (rejected)
        spdlog::warn("pod {}: rejected: {}: {}", wanted.pod->full_name(), rejected->reason,
                     rejected->message);
    const WorkerTools tools{clock_, executor_, hands_, *this};
    auto [at, added] =
        workers_.emplace(uid, std::make_unique<PodWorker>(tools, wanted.pod, std::move(rejected)));
    const bool before = std::any_of(workers_.begin(), workers_.end(), [&](const auto& each) {
        return each.first != uid && !each.second->finished() &&
               each.second->pod().full_name() == wanted.pod->full_name();
    });
    if (before)
        at->second->hold(true);
    else
        at->second->look();
}

// Drops what is finished, frees those that waited for it, makes anew what is wanted again.
void PodManager::settle() {
    std::erase_if(workers_, [](const auto& each) { return each.second->finished(); });
    for (auto& [uid, worker] : workers_) {
        if (!worker->held()) continue;
        const bool before = std::any_of(workers_.begin(), workers_.end(), [&](const auto& each) {
            return each.second.get() != worker.get() && !each.second->held() &&
                   each.second->pod().full_name() == worker->pod().full_name();
        });
        if (!before) worker->hold(false);
    }
    for (const auto& [uid, wanted] : desired_) {
        if (!workers_.contains(uid)) add(wanted);
    }
}

void PodManager::with_worker(const std::string& uid, const std::function<void(PodWorker&)>& run) {
    const auto at = workers_.find(uid);
    if (at == workers_.end()) return;
    run(*at->second);
    if (at->second->finished()) settle();
}

// --- the runtime ------------------------------------------------------------------------------------------

NodeView PodManager::view() const {
    return {clock_.monotonic(), settings_.max_backoff, network_.ready,
            network_.message.empty() ? network_.reason : network_.message};
}

void PodManager::pod_changed(const std::string& uid) {
    with_worker(uid, [](PodWorker& worker) { worker.look(); });
}

void PodManager::event_stream(EventStream state) {
    if (state == stream_) return;
    stream_ = state;
    stream_since_ = clock_.monotonic();
    if (state == EventStream::Unsupported && !std::exchange(told_unsupported_, true))
        spdlog::warn("the runtime has no event stream: looking every second instead");
    // Whatever happened while nobody listened is found now.
    relist_at_ = clock_.monotonic();
}

void PodManager::runtime_failed(const Error& error) {
    if (runtime_.ready) spdlog::warn("runtime: {}", error.what());
    runtime_ = {false, "RuntimeUnavailable", error.what()};
    network_ = {false, "RuntimeUnavailable", "the runtime cannot be asked"};
    status_at_ = clock_.monotonic() + kAskWhenDown;
}

void PodManager::ask_status() {
    asking_ = true;
    const bool version = !runtime_.ready;
    executor_.submit(Lane::Calls, [this, cri = hands_.cri, version] {
        auto answer = std::make_shared<Answer>(Answer{cri.runtime.status(), {}});
        if (answer->status && version) {
            if (auto v = cri.runtime.version(); v) answer->version = std::move(*v);
        }
        return [this, answer] { status_answered(*answer); };
    });
}

void PodManager::status_answered(const Answer& answer) {
    asking_ = false;
    if (!answer.status) return runtime_failed(answer.status.error());
    if (answer.version) {
        name_ = answer.version->runtime_name();
        version_ = answer.version->runtime_version();
    }
    const bool was_ready = runtime_.ready;
    const Condition network_before = network_;
    runtime_ = condition_of(*answer.status, "RuntimeReady");
    network_ = condition_of(*answer.status, "NetworkReady");
    if (runtime_.ready && !was_ready) {
        spdlog::info("runtime {} {} is ready", name_, version_);
        relist_at_ = clock_.monotonic();
    }
    if (network_ != network_before) {
        if (network_.ready)
            spdlog::info("network is ready");
        else
            spdlog::warn("network is not ready: {}: {}", network_.reason, network_.message);
    }
    const Nanos wait = !runtime_.ready ? kAskWhenDown : !network_.ready ? kAskWhenWaiting : kAskAtRest;
    status_at_ = clock_.monotonic() + wait;
    if (runtime_.ready != was_ready || network_ != network_before) wake_all();
}

void PodManager::wake_all() {
    std::vector<std::string> uids;
    for (const auto& [uid, worker] : workers_) uids.push_back(uid);
    for (const std::string& uid : uids) with_worker(uid, [](PodWorker& worker) { worker.look(); });
}

// gRPC says nothing when a stream is accepted: one that lasts is taken as working.
Nanos PodManager::relist_period() const {
    const bool works =
        stream_ == EventStream::Connected && clock_.monotonic() - stream_since_ >= kStreamSettles;
    return works ? kRelistWithEvents : kRelistWithout;
}

void PodManager::relist() {
    listing_ = true;
    executor_.submit(Lane::Calls, [this, cri = hands_.cri] {
        auto seen = observe_all(cri);
        return [this, seen = std::move(seen)] {
            listing_ = false;
            relist_at_ = clock_.monotonic() + relist_period();
            if (!seen) return runtime_failed(seen.error());
            relisted(*seen);
        };
    });
}

void PodManager::relisted(const std::map<std::string, PodGlimpse>& seen) {
    std::vector<std::string> changed;
    for (const auto& [uid, worker] : workers_) {
        const auto at = seen.find(uid);
        if ((at == seen.end() ? std::string() : at->second.signature) != worker->signature())
            changed.push_back(uid);
    }
    for (const std::string& uid : changed) pod_changed(uid);
    if (sources_ready_) end_orphans(seen);
}

// Pods that the runtime has and nobody wants: left from before the agent started.
void PodManager::end_orphans(const std::map<std::string, PodGlimpse>& seen) {
    for (const auto& [uid, glimpse] : seen) {
        if (workers_.contains(uid)) continue;
        auto pod = std::make_shared<kube::Pod>();
        pod->meta.uid = uid;
        pod->meta.name = glimpse.name;
        pod->meta.ns = glimpse.ns;
        pod->spec.grace_s = std::max<int64_t>(0, glimpse.grace_s);
        // These become paths: a label that no agent of Kubernetes writes is left alone.
        if (!kube::is_dns_subdomain(glimpse.name) || !kube::is_dns_label(glimpse.ns) ||
            uid.find_first_of("/.") != std::string::npos)
            continue;
        spdlog::info("pod {}: nobody wants it any more", pod->full_name());
        const WorkerTools tools{clock_, executor_, hands_, *this};
        auto [at, added] = workers_.emplace(uid, std::make_unique<PodWorker>(tools, pod, std::nullopt));
        at->second->terminate();
    }
}

// --- time -------------------------------------------------------------------------------------------------

void PodManager::tick() {
    const Nanos now = clock_.monotonic();
    if (!asking_ && status_at_ <= now) ask_status();
    if (!listing_ && runtime_.ready && relist_at_ <= now) relist();
    std::vector<std::string> uids;
    for (const auto& [uid, worker] : workers_) {
        const auto at = worker->next_wake();
        if (at && *at <= now) uids.push_back(uid);
    }
    for (const std::string& uid : uids) with_worker(uid, [](PodWorker& worker) { worker.tick(); });
}

Nanos PodManager::next_wake() const {
    Nanos out = Nanos::max();
    if (!asking_) out = std::min(out, status_at_);
    if (!listing_ && runtime_.ready) out = std::min(out, relist_at_);
    for (const auto& [uid, worker] : workers_) {
        if (const auto at = worker->next_wake()) out = std::min(out, *at);
    }
    return out;
}

kube::Json PodManager::pods() const {
    kube::Json items = kube::Json::array();
    for (const auto& [uid, worker] : workers_) {
        kube::Json pod = kube::pod_json(worker->pod());
        pod["status"] = kube::status_json(worker->status());
        if (worker->terminating()) pod["metadata"]["deletionGracePeriodSeconds"] = worker->pod().spec.grace();
        items.push_back(std::move(pod));
    }
    return {{"kind", "PodList"}, {"apiVersion", "v1"}, {"metadata", kube::Json::object()}, {"items", items}};
}

}  // namespace orlop::agent
