// Mounting by descriptors: fsopen(2), open_tree(2), move_mount(2), mount_setattr(2), called raw because
// glibc 2.34 of el9 has no wrappers; and by mount(2) on kernels that lack them (el8's 4.18). Every error says
// what was mounted.
#pragma once

#include <fcntl.h>
#include <linux/mount.h>

#include <string>
#include <utility>
#include <vector>

#include "base/dir.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

using MountOptions = std::vector<std::pair<std::string, std::string>>;  // "" = flag

// A directory or file to mount on: resolved once, beneath the directory `root`.
struct Spot {
    int root = -1;
    std::string path;
    Resolve how = Resolve::InRoot;
    UniqueFd fd;  // O_PATH
};
Result<Spot> find_spot(int root, const std::string& path, Resolve how, int flags = 0);

// What this kernel has, asked once for each launch.
class MountApi {
  public:
    // While the host's /proc is in sight: what falls back names descriptors by it.
    static Result<MountApi> probe();

    // A new or copied mount that is attached nowhere yet. Without the new calls it is only what mount(2) will
    // be told.
    struct Pending {
        UniqueFd fd;               // the detached mount; without the new calls a bind's source
        std::string type, source;  // without the new calls; type "bind" for a copied one
        std::string data;
        uint64_t attributes = 0;
        bool recursive = false;
    };

    // A new filesystem; `attributes` are MOUNT_ATTR_*.
    Result<Pending> new_mount(const std::string& type, const std::string& source, const MountOptions& options,
                              uint64_t attributes) const;
    // A copy of the tree at `path` (or of `dirfd` itself when it is "").
    Result<Pending> clone_tree(int dirfd, const std::string& path, bool recursive) const;
    // Attaches it; gives the root of the attached mount.
    Result<UniqueFd> attach(Pending pending, const Spot& spot) const;

    // MOUNT_ATTR_* of the mount whose root `mount` is. Recursive needs mount_setattr(2): Unimplemented
    // without it.
    Status set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive) const;
    Status set_propagation(int mount, Propagation propagation, bool recursive) const;
    // MOUNT_ATTR_IDMAP of a detached mount; needs Linux 5.12.
    Status set_idmap(int mount, int user_namespace, bool recursive) const;
    bool detached() const { return detached_; }
    bool recursive_attributes() const { return setattr_; }

  private:
    Status mount_named(const Pending& pending, int target) const;
    Status change(int mount, unsigned long flags, const char* what) const;
    Status remount(int mount, uint64_t set, uint64_t clear) const;
    bool detached_ = false;  // fsopen(2) and the like, Linux 5.2
    bool setattr_ = false;   // mount_setattr(2), Linux 5.12
    UniqueFd proc_fds_;      // the host's /proc/self/fd, if anything falls back
};

// overlayfs by mount(2) at `target`, a directory: for what fsconfig(2) cannot take, whose values end at 255
// bytes.
Status mount_overlay_classic(const std::string& target, const std::string& data);

// "/" of this mount namespace and all below it.
Status make_all_private();
// pivot_root(2) onto the mount at `root`, with the old root gone; without `pivot`, MS_MOVE and chroot(2).
Status enter_root(int root, bool pivot);

}  // namespace orlop::launch
