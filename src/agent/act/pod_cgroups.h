// The cgroups that the agent owns: kubepods, its QoS levels and the pods' (node-allocatable layout).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "agent/decide/plan.h"
#include "base/result.h"
#include "cgroups/driver.h"
#include "kube/pod.h"

namespace orlop::agent {

// Thread-safe. Without a driver (cgroupsPerQOS: false) it does nothing.
class PodCgroups {
  public:
    PodCgroups(std::unique_ptr<cgroups::Driver> driver, const NodeFacts& node)
        : driver_(std::move(driver)), node_(node) {}

    // kubepods, burstable, besteffort.
    Status prepare();
    Status ensure(const kube::Pod& pod);
    // Every QoS class is tried: an orphan's spec is not known.
    Status remove(const std::string& uid);

  private:
    Status apply_burstable_shares();

    std::unique_ptr<cgroups::Driver> driver_;
    NodeFacts node_;
    std::mutex mutex_;
    std::map<std::string, int64_t> burstable_;  // uid -> CPU request in milli; guarded by mutex_
};

}  // namespace orlop::agent
