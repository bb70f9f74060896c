// What has to be true before the daemon starts. Each error is a sentence that says what to do.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/core/paths.h"

namespace orlop::core {

Status check_root_user();
// overlayfs, openat2 (5.6), clone3 (5.3), pidfd_open (5.3).
Status check_kernel();
// Makes the directories of `paths`; what exists has to be root's and closed to others' writing.
Status prepare_directories(const Paths& paths);
// Unavailable when a live process serves the socket; removes a stale one.
Status claim_socket(const std::string& path);

}  // namespace orlop::core
