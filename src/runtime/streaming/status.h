// What a client is told at the end of a command: a Status of the Kubernetes API (meta/v1) as JSON from v4 on,
// the message alone before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace orlop::streaming {

// Success for 0 and for nothing; reason NonZeroExitCode with a cause ExitCode otherwise; an Error is reason
// InternalError.
std::string status_json(const Result<std::optional<int32_t>>& exit);
// Empty for success.
std::string status_text(const Result<std::optional<int32_t>>& exit);

}  // namespace orlop::streaming
