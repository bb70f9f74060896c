// All pods of the node: what is wanted against what the runtime has. Lives in the loop; owns no thread,
// fd or timer: whoever runs the loop calls tick() at next_wake().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/act/observe.h"
#include "agent/decide/admission.h"
#include "agent/node/pod_worker.h"
#include "kube/document.h"

namespace orlop::agent {

// One pod of a source, with its identity.
struct DesiredPod {
    std::shared_ptr<const kube::Pod> pod;
    std::vector<kube::Finding> refusals;
};

struct ManagerSettings {
    Nanos max_backoff{std::chrono::seconds(300)};
    AdmissionRules admission;
};

// A condition as the CRI names it: RuntimeReady, NetworkReady.
struct Condition {
    bool ready = false;
    std::string reason;
    std::string message;
    bool operator==(const Condition&) const = default;
};

enum class EventStream { Unknown, Connected, Lost, Unsupported };

class PodManager final : public WorkerHost {
  public:
    PodManager(const Clock& clock, Executor& executor, const Hands& hands, const ManagerSettings& settings);

    // The whole set that is wanted. Nothing is ended before the first call.
    void set_desired(std::vector<DesiredPod> desired);
    // An event of the runtime about this pod.
    void pod_changed(const std::string& uid);
    void event_stream(EventStream state);
    void tick();
    Nanos next_wake() const;

    const Condition& runtime() const { return runtime_; }
    const Condition& network() const { return network_; }
    const std::string& runtime_version() const { return version_; }
    // v1 PodList.
    kube::Json pods() const;
    size_t size() const { return workers_.size(); }

    void with_worker(const std::string& uid, const std::function<void(PodWorker&)>& run) override;
    void runtime_failed(const Error& error) override;
    bool runtime_ready() const override { return runtime_.ready; }
    NodeView view() const override;
    std::string runtime_name() const override { return name_; }

  private:
    struct Answer;
    void ask_status();
    void status_answered(const Answer& answer);
    void relist();
    void relisted(const std::map<std::string, PodGlimpse>& seen);
    void end_orphans(const std::map<std::string, PodGlimpse>& seen);
    void reconcile();
    void add(const DesiredPod& wanted);
    void settle();
    void wake_all();
    Nanos relist_period() const;
    size_t counted_without(const std::string& uid) const;

    const Clock& clock_;
    Executor& executor_;
    Hands hands_;
    ManagerSettings settings_;
    std::map<std::string, std::unique_ptr<PodWorker>> workers_;  // by uid
    std::map<std::string, DesiredPod> desired_;                  // by uid
    bool sources_ready_ = false;
    Condition runtime_;
    Condition network_;
    std::string name_ = "cri";
    std::string version_;
    EventStream stream_ = EventStream::Unknown;
    Nanos status_at_{0};
    Nanos relist_at_{0};
    Nanos stream_since_{0};
    bool told_unsupported_ = false;
    bool asking_ = false;
    bool listing_ = false;
};

}  // namespace orlop::agent
