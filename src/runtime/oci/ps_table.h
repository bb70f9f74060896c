// The output of ps(1), cut down to some processes. Pure.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::oci {

// The header and the lines whose PID column is one of `pids`. Invalid when there is no such column.
Result<std::string> filter_ps(const std::string& output, const std::vector<pid_t>& pids);

}  // namespace orlop::oci
