// Waiting for a process as if it were this one: signals go to it, its terminal is joined to ours, its exit
// code is ours.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop::oci {

// Blocks the signals that are to be forwarded; before the process is made, so that none is lost. The result
// is a signalfd(2).
Result<UniqueFd> block_signals();

// Orphans of the container become our children, and end with it.
Status become_subreaper();

// Until `pid`, a child, has ended: its exit code, 128+n for death by signal n. `terminal`: the controlling
// side, or -1. `reap_orphans`: collect other children too.
Result<int> wait_in_foreground(pid_t pid, int signals, int terminal, bool reap_orphans);

}  // namespace orlop::oci
