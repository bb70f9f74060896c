// What a container leaves behind: mounts, cgroups, units, processes, names of network namespaces, state.
#pragma once

#include <set>
#include <string>

namespace orlop::it {

// Every directory, container and cgroup of this run has it in its name.
const std::string& run_mark();
// <ORLOP_IT_DIR>/<mark>: bundles; /run/<mark>: the runtime's root and sockets.
std::string run_dir();
std::string state_dir();

// Makes the process the reaper of whatever its children leave, so that they can be counted.
bool reap_orphans();

class Leftovers {
  public:
    // Empty: nothing of this run is there but its directories; else one line each, and each only once, so
    // that one leak does not fail every later test. Polls until the place's deadline, as the kernel ends a
    // process a moment after its signal.
    std::string find();

  private:
    std::string unknown(const std::string& text) const;

    std::set<std::string> told_;
};

}  // namespace orlop::it
