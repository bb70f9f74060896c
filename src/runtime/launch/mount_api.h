// The mount system calls by fd (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)), each failing with
// what was being mounted. Called raw: glibc 2.34 of el9 has no wrappers.
#pragma once

#include <fcntl.h>
#include <linux/mount.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

using MountOptions = std::vector<std::pair<std::string, std::string>>;  // "" = flag

// A new filesystem, mounted nowhere yet; `attributes` are MOUNT_ATTR_*.
Result<UniqueFd> new_mount(const std::string& type, const std::string& source, const MountOptions& options,
                           uint64_t attributes);
// A copy of the tree at `path` (or of `dirfd` itself when it is ""), attached nowhere yet.
Result<UniqueFd> clone_tree(int dirfd, const std::string& path, bool recursive);
// Attaches a detached mount onto the directory or file `target` (an O_PATH fd).
Status attach(int mount, int target);
Status attach_at(int mount, const std::string& path);
Status set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive);
// `propagation` is MS_PRIVATE, MS_SLAVE or MS_SHARED.
Status set_propagation(int mount, uint64_t propagation, bool recursive);

// mount(2) in one call: for what fsconfig(2) cannot take, whose values end at 255 bytes.
Status mount_classic(const std::string& type, const std::string& target, const std::string& data);

// "/" of this mount namespace and all below it.
Status make_all_private();
// pivot_root(2) onto the mount at `root`, with the old root gone.
Status enter_root(int root);

}  // namespace orlop::launch
