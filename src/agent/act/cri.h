// The runtime as the agent sees it: four small interfaces over the CRI v1, faked in tests.
// Every call has a deadline. Errors: Unavailable (no runtime), Unimplemented, NotFound, TimedOut, ...
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/api.pb.h"

namespace orlop::agent {

namespace cri = runtime::v1;

class RuntimeCalls {
  public:
    virtual ~RuntimeCalls() = default;
    virtual Result<cri::VersionResponse> version() = 0;
    virtual Result<cri::RuntimeStatus> status() = 0;
    virtual Result<cri::CgroupDriver> cgroup_driver() = 0;
    // Follows the event stream until it breaks (the error), ends (ok) or `stop` is requested (ok).
    // `connected` is called when the stream has been asked for; it may still be refused.
    virtual Status listen(const std::function<void(const cri::ContainerEventResponse&)>& on_event,
                          const std::function<void()>& connected, const std::stop_token& stop) = 0;
};

class SandboxCalls {
  public:
    virtual ~SandboxCalls() = default;
    virtual Result<std::string> run(const cri::PodSandboxConfig& config) = 0;
    virtual Status stop(const std::string& id) = 0;
    virtual Status remove(const std::string& id) = 0;
    virtual Result<cri::PodSandboxStatus> status(const std::string& id) = 0;
    virtual Result<std::vector<cri::PodSandbox>> list(const std::string& pod_uid) = 0;  // "": all
};

class ContainerCalls {
  public:
    virtual ~ContainerCalls() = default;
    virtual Result<std::string> create(const std::string& sandbox_id, const cri::ContainerConfig& config,
                                       const cri::PodSandboxConfig& sandbox) = 0;
    virtual Status start(const std::string& id) = 0;
    // Takes up to the grace period, so it does not block: `done` is called from another thread.
    virtual void stop(const std::string& id, int64_t grace_s, std::function<void(Status)> done) = 0;
    virtual Status remove(const std::string& id) = 0;
    virtual Result<cri::ContainerStatus> status(const std::string& id) = 0;
    virtual Result<std::vector<cri::Container>> list(const std::string& pod_uid) = 0;  // "": all
};

class ImageCalls {
  public:
    virtual ~ImageCalls() = default;
    virtual Result<std::optional<cri::Image>> find(const std::string& image) = 0;
    virtual Result<std::string> pull(const std::string& image, const cri::PodSandboxConfig& sandbox) = 0;
};

struct Cri {
    RuntimeCalls& runtime;
    SandboxCalls& sandboxes;
    ContainerCalls& containers;
    ImageCalls& images;
};

}  // namespace orlop::agent
