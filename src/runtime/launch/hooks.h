// Hooks (runtime-spec config.md, "POSIX-platform Hooks"): run by the runtime in its own namespaces, or by the
// child in the container's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

// In order, each with `state` on stdin and `directory` as its working directory, up to the first that fails:
// not exit code 0, or not done in its time (it is killed then). A hook without an environment gets ours, as
// with runc.
Status run_hooks(std::string_view kind, const std::vector<Hook>& hooks, const std::string& state,
                 const std::string& directory);

}  // namespace orlop::launch
