#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/weak.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

constexpr uint64_t kLockedDown = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// CVE-2025-31133: what is bound over a file must really be the null device; it is the host's, not the
// image's.
Result<MountApi::Pending> null_device(const MountApi& api, int root) {
    if (weakened("masked-null")) {
        UniqueFd theirs = TRY(open_under(root, "/dev/null", O_PATH, Resolve::InRoot));
        return api.clone_tree(theirs.get(), "", false);
    }
    UniqueFd null(open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!null) return Error::sys("open /dev/null");
    struct stat st {};
    if (fstat(null.get(), &st) != 0) return Error::sys("stat /dev/null");
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
        return Error::failed("/dev/null is not the null device");
    return api.clone_tree(null.get(), "", false);
}

// What the path is in the container, or nothing: most images lack most of these.
Result<std::optional<Spot>> spot_if_there(int root, const std::string& path) {
    auto spot = find_spot(root, path, Resolve::InRoot);
    if (!spot && (spot.error().errnum() == ENOENT || spot.error().errnum() == ENOTDIR))
        return std::optional<Spot>();
    return std::optional<Spot>(TRY(std::move(spot)));
}

// One empty filesystem serves every masked directory.
Status mask(const MountApi& api, int root, const std::string& path, UniqueFd& empty_dir) {
    auto found = TRY(spot_if_there(root, path));
    if (!found) return ok();
    struct stat st {};
    if (fstat(found->fd.get(), &st) != 0) return Error::sys("stat");
    if (!S_ISDIR(st.st_mode)) {
        UniqueFd mounted = TRY(api.attach(TRY(null_device(api, root)), *found));
        return api.set_propagation(mounted.get(), Propagation::Private, false);
    }
    auto tree = empty_dir ? TRY(api.clone_tree(empty_dir.get(), "", false))
                          : TRY(api.new_mount("tmpfs", "tmpfs", {{"size", "0"}, {"nr_inodes", "1"}},
                                              kLockedDown | MOUNT_ATTR_RDONLY));
    UniqueFd mounted = TRY(api.attach(std::move(tree), *found));
    if (!empty_dir) empty_dir = std::move(mounted);
    return ok();
}

Status make_readonly(const MountApi& api, int root, const std::string& path) {
    auto found = TRY(spot_if_there(root, path));
    if (!found) return ok();
    auto tree = TRY(api.clone_tree(found->fd.get(), "", true));
    UniqueFd mounted = TRY(api.attach(std::move(tree), *found));
    TRY(api.set_propagation(mounted.get(), Propagation::Private, true));
    return api.set_attributes(mounted.get(), MOUNT_ATTR_RDONLY, 0, api.recursive_attributes());
}

}  // namespace

Status hide_paths(const MountApi& api, int root, const LaunchPlan& plan) {
    for (const std::string& path : plan.readonly_paths)
        TRY(make_readonly(api, root, path).under("make read-only " + path));
    UniqueFd empty_dir;
    for (const std::string& path : plan.masked_paths)
        TRY(mask(api, root, path, empty_dir).under("mask " + path));
    return ok();
}

}  // namespace orlop::launch
