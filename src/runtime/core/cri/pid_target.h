// The container whose process namespace another one of its pod is to share (NamespaceMode TARGET).
#pragma once

#include <string>

#include "runtime/core/state/state.h"

namespace orlop::core {

// It has to run.
Result<Containers::Ptr> running_target(const State& state, const std::string& sandbox, const std::string& id);

}  // namespace orlop::core
