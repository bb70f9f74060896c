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

// fsconfig(2) "lowerdir+" (kernel 6.7): one layer a call, no limit on the length of them all.
Result<UniqueFd> overlay_by_fsconfig(const MountApi& api, const Root& root, const std::string& staging) {
    MountOptions options;
    for (const std::string& lower : root.lowers) options.emplace_back("lowerdir+", lower);
    options.insert(options.end(), {{"upperdir", root.upper}, {"workdir", root.work}});
    if (root.is_volatile) options.emplace_back("volatile", "");
    auto overlay = TRY(api.new_mount("overlay", "orlop", options, 0));
    UniqueFd parent;
    const Spot spot = TRY(host_spot(parent, staging));
    return api.attach(std::move(overlay), spot);
}

// Older kernels take one string of a page: descriptors keep each layer's share of it at some twenty bytes.
Result<UniqueFd> overlay_by_mount(const Root& root, const std::string& staging) {
    std::vector<UniqueFd> layers;
    std::string data =
        "upperdir=" + root.upper + ",workdir=" + root.work + (root.is_volatile ? ",volatile" : "");
    for (const std::string& lower : root.lowers) {
        UniqueFd& fd = layers.emplace_back(open(lower.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!fd) return Error::sys("open layer " + lower);
        data +=
            (layers.size() == 1 ? ",lowerdir=/proc/self/fd/" : ":/proc/self/fd/") + std::to_string(fd.get());
    }
    TRY(mount_overlay_classic(staging, data));
    UniqueFd mount(open(staging.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!mount) return Error::sys("open " + staging);
    return mount;
}

Result<UniqueFd> attach_directory(const MountApi& api, const LaunchPlan& plan, MountApi::Pending tree) {
    UniqueFd parent;
    auto spot = host_spot(parent, plan.root.path);
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
        auto mount = api.detached() ? overlay_by_fsconfig(api, plan.root, plan.staging_dir)
                                    : Result<UniqueFd>(Error::sys("fsopen", EINVAL));
        if (!mount && mount.error().errnum() == EINVAL) mount = overlay_by_mount(plan.root, plan.staging_dir);
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
