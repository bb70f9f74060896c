// Facts of the machine and of the caller that commands need.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "cgroups/cgroup.h"
#include "runtime/launch/launch.h"
#include "runtime/oci/spec/spec.h"

namespace orlop::oci {

HostFacts host_facts(const cgroups::Hierarchies& hierarchies, bool no_pivot);

launch::CgroupJoin join_of(const cgroups::Cgroup& cgroup);

// The name in /etc/passwd, or the number.
std::string user_name(uid_t uid);

// Descriptors that go to the container after stdio: those of socket activation (LISTEN_FDS, sd_listen_fds(3))
// and `preserve` more. Each must be open; called before anything else is opened.
struct PassedFds {
    uint32_t count = 0;
    std::vector<std::string> env;  // LISTEN_FDS and LISTEN_PID as the container's first process sees them
};
Result<PassedFds> passed_fds(uint32_t preserve);

// Written to a temporary file beside it and renamed.
Status write_pid_file(const std::string& path, pid_t pid);

// Waits until the process has news; Stage::Working never.
Result<launch::Stage> wait_for_news(launch::Launching& launching);

// Kills and collects a child of ours.
void kill_child(pid_t pid);

}  // namespace orlop::oci
