// Building the container's filesystem in a fresh mount namespace, in the order of the plan.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

// Root, mounts, devices, pivot_root, masked and read-only paths. Afterwards "/" is the container's.
Status build_root(const LaunchPlan& plan);

// An empty read-only root: for pause, whose /proc/PID/root must show nothing of the host.
Status enter_empty_root();

// Device nodes and the usual links in /dev beneath `root`.
Status make_devices(int root, const std::vector<DeviceNode>& devices);

// The directory or file `path` beneath `root` for mounting on: made if missing, never outside (walked by fd).
// With `no_symlinks` a symlink anywhere in the path is an error: /proc, /sys and /dev of an image must be
// real.
Result<UniqueFd> mount_point(int root, const std::string& path, bool directory, bool no_symlinks);

}  // namespace orlop::launch
