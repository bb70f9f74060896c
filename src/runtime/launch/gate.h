// Where a created container waits to be started: a unix socket that the child listens on, at a path only root
// can reach. Whoever connects opens the gate and hears on the same connection how exec went.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop::launch {

// Listens at `path` (at most 107 bytes; the directory is 0700). Given to launch_container as Pauses::gate.
Result<UniqueFd> make_gate(const std::string& path);

// Lets the process that waits there run; ok once its exec has happened, otherwise its error. Precondition
// when nobody waits: it has been started already, or has ended.
Status open_gate(const std::string& path, Nanos timeout);

}  // namespace orlop::launch
