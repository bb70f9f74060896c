// Opening a path beneath a directory on kernels without openat2(2) (before 5.6): component by component, each
// by a descriptor, so that no change of the tree meanwhile can lead outside.
#pragma once

#include <string>

#include "base/dir.h"

namespace orlop {

// As open_under. ".." goes back to the directory that was come from, not to where that one may have been
// moved. Links of procfs that the kernel resolves by itself (/proc/PID/fd, ns, exe, cwd, root) are refused,
// as with RESOLVE_NO_MAGICLINKS.
Result<UniqueFd> open_by_walking(int dirfd, const std::string& path, int flags, Resolve how, mode_t mode = 0);

}  // namespace orlop
