// One cgroup, wherever its controllers are: a single directory on v2, one directory per v1 hierarchy
// (plus name=systemd and unified on hybrid hosts). Plain file access, no systemd: the shim links this.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "cgroups/resources.h"

namespace orlop::cgroups {

enum class Version { V1, V2 };

// Where the controllers are mounted; read once from mountinfo and /proc/self/cgroup.
struct Hierarchies {
    Version version = Version::V2;        // V1 also for hybrid: limits are on v1
    std::string root = "/sys/fs/cgroup";  // v2: the mount
    std::map<std::string, std::string>
        v1;                 // controller ("memory", "name=systemd") -> mount directory; V1 only
    std::string hybrid_v2;  // V1 only: mount of cgroup2 on hybrid hosts, or ""
    std::vector<std::string> v2_controllers;  // of the root's cgroup.controllers
    bool complete = true;  // false: a controller may be missing until a limit needs it (detect_any)
};
// `proc` can be moved for tests. Missing mandatory controllers (cpu, memory, pids, devices on v1) are an
// Unimplemented error naming them and what to do.
Result<Hierarchies> detect(const std::string& proc = "/proc");
// As detect, with whatever controllers there are: a container without limits needs none.
Result<Hierarchies> detect_any(const std::string& proc = "/proc");

struct CpuMemoryStats {
    uint64_t cpu_usage_ns = 0;
    uint64_t memory_usage = 0;        // bytes
    uint64_t memory_working_set = 0;  // usage - (total_)inactive_file
    uint64_t memory_limit = 0;        // 0 = none
    uint64_t pids = 0;
    uint64_t oom_kills = 0;
};

// A handle: holds paths, owns nothing. `path` is relative to every hierarchy's mount ("/kubepods/pod1/abc").
class Cgroup {
  public:
    Cgroup(const Hierarchies& hierarchies, std::string path) : h_(&hierarchies), path_(std::move(path)) {}

    const std::string& path() const { return path_; }
    const Hierarchies& hierarchies() const { return *h_; }
    // The directories it consists of, v2 first. For LaunchPlan and for `info`.
    std::vector<std::string> directories() const;
    // The directory that holds a controller's files ("memory", "cpu", "pids", ...).
    Result<std::string> directory_of(const std::string& controller) const;

    bool exists() const;
    // mkdir (with parents) in every hierarchy; v2: enables the controllers in every ancestor's
    // subtree_control that is ours to write; v1: fills empty cpuset.cpus/mems from the parent,
    // clone_children.
    Status create() const;
    Status apply(const Resources& resources) const;
    Status add(pid_t pid) const;                   // cgroup.procs of every hierarchy
    Result<std::vector<pid_t>> processes() const;  // of this cgroup only; recursive: all below too
    Result<std::vector<pid_t>> processes_recursive() const;
    // Suspends everything in it and below, and waits until all of it stands still; thawed again at the
    // deadline. v1: freezer.state; v2, and v1 without that controller beside a v2: cgroup.freeze.
    Status freeze(Nanos timeout) const;
    // A frozen ancestor keeps it frozen: TimedOut.
    Status thaw(Nanos timeout) const;
    Result<bool> frozen() const;
    // SIGKILL to everything in it and below, frozen or not: cgroup.kill (v2 >= 5.14) or freeze/loop (v1).
    // Returns when empty or at the deadline.
    Status kill_all(Nanos timeout) const;
    // rmdir in every hierarchy, children first; missing is fine. EBUSY is retried by waiting for populated=0
    // (poll/inotify) up to the timeout.
    Status remove(Nanos timeout) const;
    Result<CpuMemoryStats> stats() const;
    // The kernel's own count of OOM kills in this cgroup (v2 memory.events oom_kill, v1 memory.oom_control
    // oom_kill): exact and complete before the victim can be reaped.
    Result<uint64_t> oom_kills() const;

    Cgroup child(const std::string& name) const { return Cgroup(*h_, path_ + "/" + name); }

  private:
    const Hierarchies* h_;
    std::string path_;
};

// Calls back on each OOM kill in the cgroup: v1 eventfd on memory.oom_control (cgroup.event_control),
// v2 inotify on memory.events; spurious wake-ups are filtered by the oom_kill counter.
class OomWatch {
  public:
    static Result<OomWatch> make(EventLoop& loop, const Cgroup& cgroup, std::function<void()> on_oom);

  private:
    UniqueFd fd_;
    UniqueFd control_;
    Watch watch_;
    std::optional<InotifyWatch> inotify_;
};

}  // namespace orlop::cgroups
