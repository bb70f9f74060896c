// A cgroup of its own for one exec, below the container's in the v2 hierarchy, so that a timeout can kill all
// that the command started, whatever it did to its parents and process groups. It has no controllers: limits
// stay the container's. Pure v1 has no cgroup.kill; there the shim's own kill of the exec has to do.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/launch/plan.h"

namespace orlop::core {

class ExecCgroup {
  public:
    // Redirects `join` into the new cgroup; leaves it as it is where there is no v2 hierarchy.
    static Result<ExecCgroup> make(launch::CgroupJoin& join, const std::string& exec_id);
    ExecCgroup(ExecCgroup&& other) noexcept : path_(std::exchange(other.path_, "")) {}
    ExecCgroup& operator=(ExecCgroup&&) = delete;
    // rmdir. What the command left running keeps it alive until the container's cgroup goes.
    ~ExecCgroup();
    // cgroup.kill (Linux 5.14), then waits until it is empty; nothing without a v2 hierarchy.
    Status kill(Nanos timeout) const;

  private:
    explicit ExecCgroup(std::string path) : path_(std::move(path)) {}
    std::string path_;  // "" = none
};

}  // namespace orlop::core
