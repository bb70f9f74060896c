// Asking systemd through the helper program orlop-scope; inside the module only.
#pragma once

#include "base/unique_fd.h"
#include "cgroups/scope_protocol.h"

namespace orlop::cgroups {

// Starts the helper, asks, and waits for its answer (at most 40 s). For Create, the helper stays in the scope
// until this process closes the returned descriptor or ends; otherwise the helper has ended.
Result<UniqueFd> ask_scope_helper(const std::string& helper, const ScopeRequest& request);

}  // namespace orlop::cgroups
