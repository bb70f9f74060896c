// The last part of a launch, the same for a first process and for an exec: in the container's root, still
// root.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/launch/handshake.h"
#include "runtime/launch/mount_api.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

// Opened while the host's /proc is in sight, used when it no longer is: the container's could be a trap
// (CVE-2019-16884, CVE-2025-52881).
struct HostHandles {
    UniqueFd own_fds;         // /proc/self/fd, where close_range(2) is missing
    UniqueFd exec_attribute;  // /proc/self/attr: where the next exec's LSM label is written
    std::string label;        // what is written there
    UniqueFd listener;        // connected to Seccomp::listener_path
};
Result<HostHandles> open_host_handles(const Process& process);

struct Finish {
    const Process& process;
    const Stdio& io;
    const HostHandles& host;
    const MountApi* mounts = nullptr;  // to bind /dev/console: a container's first process
    std::string state;                 // OCI state JSON: for start hooks and the seccomp listener
    const std::vector<Hook>* start_hooks = nullptr;
    int gate = -1;
};
// Returns only when it failed.
Status finish_process(const Finish& how, Channel& channel);

// stdio.cpp
Status connect_stdio(const Stdio& io, uint32_t uid);
// Makes a terminal in the container's devpts and sends its other side; `mounts` as in Finish.
Status connect_terminal(const Process& process, uint32_t uid, const MountApi* mounts, Channel& channel);

// descriptors.cpp: closes all above 2 but the preserved ones and `keep`.
Status close_others(uint32_t preserved, std::vector<int> keep, int own_fds);

// scheduling.cpp: scheduler, I/O priority and CPUs of `pid` (0 = the caller).
Status set_scheduling(const Process& process, pid_t pid);
Status set_memory_policy(const MemoryPolicy& policy);
Status set_limits(const std::vector<Rlimit>& limits);
// Limits and OOM score of another process: a user namespace takes the right to raise them away.
Status set_limits_of(const Process& process, pid_t pid);
Status set_oom_score(std::optional<int32_t> wanted, const std::string& proc_pid = "/proc/self");

// listener.cpp: hands a seccomp listener to whoever serves it.
Result<UniqueFd> connect_listener(const std::string& path);
Status send_listener(int socket, int listener, const Seccomp& seccomp, const std::string& state);

}  // namespace orlop::launch
