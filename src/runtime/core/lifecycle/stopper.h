// Ending a running container: stop signal, grace, SIGKILL through the shim, then straight to the cgroup, each
// wait bounded. Any number of calls may stop one container: the stop signal is sent by the first, and each
// kills at its own deadline, so that the shortest wins.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "runtime/core/state/state.h"

namespace orlop::core {

// The outside: the shim and the kernel.
class StopActions {
  public:
    virtual ~StopActions() = default;
    // The container's stop signal to its first process.
    virtual Status signal(const ContainerRecord& container) = 0;
    // SIGKILL to all of its processes, by the shim.
    virtual Status kill(const ContainerRecord& container) = 0;
    // Past the shim: kills the cgroup; ok once it is empty. Bounded.
    virtual Status force(const ContainerRecord& container) = 0;
    // Its processes are dead but the shim does not say so: puts the end on record.
    virtual Status presume_dead(const ContainerRecord& container) = 0;
};

struct StopLimits {
    Nanos start = std::chrono::seconds(60);  // a start that is under way comes to its end
    Nanos kill = std::chrono::seconds(10);   // from SIGKILL to the exit
    Nanos report = std::chrono::seconds(2);  // from the empty cgroup to the shim's report
};

class Stopper {
  public:
    Stopper(const Containers& containers, StopActions& actions, StopLimits limits = {})
        : containers_(containers), actions_(actions), limits_(limits) {}

    // Ok at once when it does not run. `grace` 0 kills immediately.
    Status stop(const std::string& container, Nanos grace);

  private:
    class Turn;
    bool wait_exited(const std::string& container, Nanos timeout) const;

    const Containers& containers_;
    StopActions& actions_;
    StopLimits limits_;
    std::mutex mutex_;
    std::map<std::string, int> stopping_;  // calls at work by container; guarded by mutex_
};

}  // namespace orlop::core
