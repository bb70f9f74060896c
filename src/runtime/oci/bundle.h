// The bundle that a container is made from, and what the caller's environment adds to it.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/launch/plan.h"
#include "runtime/oci/call.h"

namespace orlop::oci {

struct Bundle {
    std::string path;    // absolute
    std::string config;  // of config.json
};
// "" = the current directory.
Result<Bundle> load_bundle(const std::string& directory);

// Compiles `profile` into the process's filter; "" = none.
Status fill_seccomp(const Settings& settings, const std::string& profile, launch::Process& process);

// sd_notify(3): the socket that systemd gave us shows at /run/notify/notify.sock in the container, and its
// processes are told so. systemd must accept messages of all of the unit's processes (NotifyAccess=all).
void add_notify_socket(launch::LaunchPlan& plan);

}  // namespace orlop::oci
