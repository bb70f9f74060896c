// Keeps a container from overwriting the program that starts it (CVE-2019-5736).
#pragma once

#include "base/result.h"

namespace orlop::launch {

// Called first in main by every program that launches: a container's process can reach its launcher's binary
// by /proc/PID/exe, as it is that program until its exec. So the program goes on from a read-only mount of
// its own binary that is attached nowhere (Linux 5.12), or from a sealed copy in memory; both cannot be
// written to by anybody. Executes itself again in that form; returns when it already runs so, or when that
// failed.
Status protect_own_binary(char** argv);

}  // namespace orlop::launch
