// The agent's wiring in the loop: manifests in, pods kept, status out.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/act/executor.h"
#include "agent/act/grpc_cri.h"
#include "agent/node/event_listener.h"
#include "agent/node/host_facts.h"
#include "agent/node/options.h"
#include "agent/node/pod_manager.h"
#include "agent/report/http_server.h"
#include "agent/sources/folder_watch.h"
#include "agent/sources/manifests.h"
#include "base/event_loop.h"
#include "cgroups/cgroup.h"

namespace orlop::agent {

class Agent final : private Executor {
  public:
    Agent(EventLoop& loop, Options options, const cgroups::Hierarchies& hierarchies, NodeFacts facts);
    ~Agent() override;

    // Opens the sockets and begins; everything else happens in the loop.
    Status start();

  private:
    // Executor: each continuation may change what is due next.
    void submit(Lane lane, Job job) override;
    void post(Continuation continuation) override;

    void ask_driver();
    Status run_pods(bool systemd);
    void scan_soon();
    void scan();
    void scanned(Result<std::map<std::string, ScannedFile>> result);
    void log_reports();
    void rearm();
    HttpHandler handler(bool everything);
    HttpAnswer answer(const std::string& path, bool everything);
    kube::Json status() const;

    EventLoop& loop_;
    const Options options_;
    const cgroups::Hierarchies& hierarchies_;
    NodeFacts facts_;
    SystemClock clock_;
    ManifestStore store_;
    FolderWatch folder_;
    std::optional<GrpcCri> cri_;
    std::optional<PodCgroups> cgroups_;
    std::optional<PodManager> pods_;
    Condition waiting_{false, "RuntimeUnknown", "the runtime has not been asked yet"};
    std::vector<ManifestError> logged_;
    Watch timer_;
    Watch scan_timer_;
    Watch check_timer_;
    bool scanning_ = false;
    bool scan_again_ = false;
    PoolExecutor pool_;  // joined before what its jobs use goes
    std::optional<EventListener> listener_;
    HttpServer http_;
};

}  // namespace orlop::agent
