// Building the container's filesystem in a fresh mount namespace, in the order of the plan.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/mount_api.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

// What comes from the host, taken while the host's mounts are in sight and still have their peers.
struct Sources {
    std::vector<MountApi::Pending> binds;   // one for each of plan.mounts; empty where it is no bind or image
    std::optional<MountApi::Pending> root;  // of a directory as root, or of layers with mapped owners
};
// By the parent when only it may (a user namespace, id-mapped mounts), otherwise by the child.
Result<Sources> take_sources(const MountApi& api, const LaunchPlan& plan);
bool parent_takes_sources(const LaunchPlan& plan);

// Root, mounts, devices, masked and read-only paths, pivot_root. Afterwards "/" is the container's.
// `before_masking` runs when all mounts are there, with the host's filesystem still in sight.
Status build_root(const MountApi& api, const LaunchPlan& plan, Sources sources,
                  const std::function<Status()>& before_masking);

// An empty read-only root: for pause, whose /proc/PID/root must show nothing of the host.
Status enter_empty_root(const MountApi& api);

// The parts of build_root, each in a file of its own.

// overlay.cpp: the image volumes of the plan and, with a user namespace (>= 0) to map owners by, its root of
// layers, attached nowhere, into `sources`. In a mount namespace of its own: `staging_dir` is mounted on for
// the moment.
Status take_overlays(const MountApi& api, const LaunchPlan& plan, int user_namespace, Sources& sources);
// An overlay of layers, attached nowhere: Linux 6.7. EINVAL before.
Result<MountApi::Pending> new_overlay(const MountApi& api, const Root& root);
// The same by mount(2), attached at `staging`.
Result<UniqueFd> mount_overlay(const Root& root, const std::string& staging);
// root_mount.cpp: the new root, attached in this mount namespace.
Result<UniqueFd> mount_root(const MountApi& api, const LaunchPlan& plan,
                            std::optional<MountApi::Pending> tree);
// mounts.cpp
Status apply_mount(const MountApi& api, int root, const LaunchPlan& plan, const Mount& mount,
                   MountApi::Pending source);
// cgroup_mount.cpp
Status mount_cgroups(const MountApi& api, int root, const LaunchPlan& plan, const Mount& mount);
// copy_up.cpp: what `from` holds, into the empty directory `to`, with modes, owners, times and extended
// attributes.
Status copy_up(int from, int to);
// devices.cpp: device nodes and the usual links in /dev beneath `root`.
Status make_devices(const MountApi& api, int root, const LaunchPlan& plan);
// masking.cpp
Status hide_paths(const MountApi& api, int root, const LaunchPlan& plan);
// idmap.cpp: a user namespace with these maps and nobody in it, for MOUNT_ATTR_IDMAP.
Result<UniqueFd> idle_user_namespace(const std::vector<IdMap>& uids, const std::vector<IdMap>& gids);
// Writes /proc/PID/uid_map and gid_map.
Status map_ids(pid_t pid, const std::vector<IdMap>& uids, const std::vector<IdMap>& gids);

// mount_point.cpp: the directory or file `path` beneath `root` for mounting on: made if missing, never
// outside (walked by fd). With `no_symlinks` a symlink anywhere in the path is an error: /proc, /sys and /dev
// of an image must be real.
Result<Spot> mount_point(int root, const std::string& path, bool directory, bool no_symlinks);

}  // namespace orlop::launch
