#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

// Where the new root is attached in the container's mount namespace until it becomes "/". A host path, ours.
Result<Spot> host_spot(UniqueFd& parent, const std::string& given) {
    char resolved[PATH_MAX];
    if (realpath(given.c_str(), resolved) == nullptr) return Error::sys(given);
    const std::string path = resolved;
    const size_t slash = path.rfind('/');
    const std::string above = slash == 0 ? "/" : path.substr(0, slash);
    parent.reset(open(above.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!parent) return Error::sys("open " + above);
    return find_spot(parent.get(), path.substr(slash + 1), Resolve::NoSymlinks).under(path);
}

Result<UniqueFd> attach_overlay(const MountApi& api, const Root& root, const std::string& staging) {
    auto overlay = TRY(new_overlay(api, root));
    UniqueFd parent;
    const Spot spot = TRY(host_spot(parent, staging));
    return api.attach(std::move(overlay), spot);
}

Result<UniqueFd> attach_directory(const MountApi& api, const LaunchPlan& plan, MountApi::Pending tree) {
    UniqueFd parent;
    auto spot = host_spot(parent, plan.root.path.empty() ? plan.staging_dir : plan.root.path);
    // In a user namespace the way there may be closed to us; any directory does, for this namespace shows
    // nothing else afterwards.
    for (const char* other : {"/mnt", "/tmp", "/run"}) {
        if (spot || spot.error().errnum() != EACCES) break;
        spot = host_spot(parent, other);
    }
    const Spot at = TRY(std::move(spot));
    return api.attach(std::move(tree), at);
}

}  // namespace

Result<UniqueFd> mount_root(const MountApi& api, const LaunchPlan& plan,
                            std::optional<MountApi::Pending> tree) {
    if (!tree) {
        auto mount = attach_overlay(api, plan.root, plan.staging_dir);
        if (!mount && mount.error().errnum() == EINVAL) mount = mount_overlay(plan.root, plan.staging_dir);
        return std::move(mount).under("mount the root overlay");
    }
    UniqueFd root =
        TRY(attach_directory(api, plan, *std::move(tree)).under("mount the root " + plan.root.path));
    // Shared and unbindable come last: what is mounted in here meanwhile must not show up on the host.
    const bool slave = plan.root.propagation == Propagation::Slave;
    TRY(api.set_propagation(root.get(), slave ? Propagation::Slave : Propagation::Private, true));
    return root;
}

}  // namespace orlop::launch
