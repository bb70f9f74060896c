// One pod's life in the loop: observe -> decide -> do -> observe ... One job at a time; what happens
// meanwhile makes it look again afterwards. The newest wish wins.
//
//   syncing ──terminate()──▶ terminating (stop, tear down) ──▶ finished
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/act/apply.h"
#include "agent/act/executor.h"
#include "agent/decide/actions.h"
#include "agent/decide/status.h"
#include "base/clock.h"
#include "kube/pod.h"
#include "kube/pod_status.h"

namespace orlop::agent {

class PodWorker;

// What workers share; the manager implements the calls back.
class WorkerHost {
  public:
    virtual ~WorkerHost() = default;
    // Runs in the loop if the worker still exists.
    virtual void with_worker(const std::string& uid, const std::function<void(PodWorker&)>& run) = 0;
    virtual void runtime_failed(const Error& error) = 0;
    virtual bool runtime_ready() const = 0;
    virtual NodeView view() const = 0;
    virtual std::string runtime_name() const = 0;
};

struct WorkerTools {
    const Clock& clock;
    Executor& executor;
    Hands hands;
    WorkerHost& host;
};

class PodWorker {
  public:
    PodWorker(const WorkerTools& tools, std::shared_ptr<const kube::Pod> pod, std::optional<Wait> rejected);

    const kube::Pod& pod() const { return *pod_; }
    const kube::PodStatus& status() const { return status_; }
    bool terminating() const { return terminating_; }
    bool finished() const { return finished_; }
    bool rejected() const { return rejected_.has_value(); }
    bool held() const { return held_; }
    // Takes a place on the node.
    bool counts() const { return !rejected_ && status_.phase != "Succeeded" && status_.phase != "Failed"; }
    std::string signature() const;

    void update(std::shared_ptr<const kube::Pod> pod, std::optional<Wait> rejected);
    // While another pod of the same name still ends.
    void hold(bool held);
    void terminate();
    // Something happened in the runtime.
    void look();
    // Does what is due; cheap when nothing is.
    void tick();
    std::optional<Nanos> next_wake() const;

  private:
    void step();
    void observe();
    void sync_step();
    void terminate_step();
    void stop(const std::vector<Kill>& kills);
    void start_apply();
    void start_tear_down();
    void start_pull(const std::string& name);

    void observed(Result<ObservedPod> result);
    void stopped(const std::string& name, const Status& result);
    void applied(const PodActions& actions, ApplyOutcome outcome);
    void remember_start(const std::string& name, const StartOutcome& outcome);
    void pulled(const std::string& name, std::optional<Wait> failure);
    void torn_down(Result<ObservedPod> result);

    void merge(ObservedPod fresh);
    void failed(const Error& error, const std::string& what);
    void refresh_status();
    std::string image_of(const std::string& container) const;

    WorkerTools tools_;
    std::shared_ptr<const kube::Pod> pod_;
    std::optional<Wait> rejected_;
    ObservedPod observed_;
    PodMemory memory_;
    PodActions actions_;
    kube::PodStatus status_;
    kube::Time first_seen_;
    std::set<std::string> pulled_;  // images fetched for the next start
    Nanos retry_at_{0};
    unsigned failures_ = 0;
    unsigned pending_stops_ = 0;
    bool stale_ = true;  // the observation is older than what happened
    bool busy_ = false;
    bool held_ = false;
    bool terminating_ = false;
    bool finished_ = false;
};

}  // namespace orlop::agent
