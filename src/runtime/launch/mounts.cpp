#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/weak.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

bool takes_label(const std::string& type) {
    return type == "tmpfs" || type == "devpts" || type == "mqueue" || type == "ramfs";
}

// The kernel's own filesystems go only where the image has a real directory (CVE-2019-19921).
bool must_be_real(const Mount& m) {
    if (weakened("real-mount-targets")) return false;
    return m.type != "bind" && m.type != "image" &&
           (m.type != "tmpfs" || m.target == "/dev" || m.target == "/proc" || m.target == "/sys");
}

Result<UniqueFd> place(const MountApi& api, int root, const Mount& m, MountApi::Pending tree) {
    const Spot target = TRY(mount_point(root, m.target, m.make_directory, must_be_real(m)));
    return api.attach(std::move(tree), target);
}

// Whoever owns what is mounted on /proc decides what our later writes below it mean (CVE-2019-16884).
Status check_proc(const Mount& m, int tree) {
    if (m.target != "/proc" || weakened("proc-magic")) return ok();
    struct statfs fs {};
    if (fstatfs(tree, &fs) != 0) return Error::sys("statfs " + m.source);
    if (fs.f_type != PROC_SUPER_MAGIC) return Error::invalid("only a procfs can be mounted on /proc");
    return ok();
}

Status set_all(const MountApi& api, int mounted, const Mount& m) {
    TRY(api.set_attributes(mounted, m.recursive_attributes, m.recursive_clear, true));
    return api.set_attributes(mounted, m.attributes, m.clear, false);
}

Status apply_bind(const MountApi& api, int root, const Mount& m, MountApi::Pending tree) {
    struct stat st {};
    if (fstat(tree.fd.get(), &st) != 0) return Error::sys("stat " + m.source);
    TRY(check_proc(m, tree.fd.get()));
    Mount exact = m;
    exact.make_directory = S_ISDIR(st.st_mode);
    UniqueFd mounted = TRY(place(api, root, exact, std::move(tree)));
    // The clone is still a peer of the host's mount; shared means that it stays one.
    TRY(api.set_propagation(mounted.get(), m.propagation, m.recursive_propagation));
    return set_all(api, mounted.get(), m);
}

Status remount(const MountApi& api, int root, const Mount& m) {
    const Spot target = TRY(find_spot(root, m.target, Resolve::InRoot));
    return set_all(api, target.fd.get(), m);
}

Status apply_tmpfs_copy(const MountApi& api, int root, const Mount& m, MountApi::Pending tree) {
    const Spot target = TRY(mount_point(root, m.target, true, must_be_real(m)));
    UniqueFd below = TRY(open_under(root, target.path, O_RDONLY | O_DIRECTORY, target.how));
    UniqueFd mounted = TRY(api.attach(std::move(tree), target));
    UniqueFd inside = TRY(open_under(mounted.get(), ".", O_RDONLY | O_DIRECTORY, Resolve::NoSymlinks));
    TRY(copy_up(below.get(), inside.get()).under("tmpcopyup"));
    return api.set_attributes(mounted.get(), m.attributes & MOUNT_ATTR_RDONLY, 0, false);
}

// What root of a user namespace may not mount by itself is had from the host (sysfs of a network namespace
// that belongs to somebody else).
Status bind_from_host(const MountApi& api, int root, const Mount& m, Error error) {
    if (m.type != "sysfs" || error.errnum() != EPERM) return error;
    auto tree = TRY(api.clone_tree(AT_FDCWD, "/sys", true).under("instead of a sysfs"));
    UniqueFd mounted = TRY(place(api, root, m, std::move(tree)));
    return api.set_attributes(mounted.get(), m.attributes, 0, false);
}

Status apply_new(const MountApi& api, int root, const LaunchPlan& plan, const Mount& m) {
    MountOptions options = m.options;
    if (!plan.mount_label.empty() && takes_label(m.type)) options.emplace_back("context", plan.mount_label);
    // A tmpfs that is filled first becomes read-only afterwards.
    const uint64_t late = m.copy_up ? static_cast<uint64_t>(MOUNT_ATTR_RDONLY) : 0;
    auto tree = api.new_mount(m.type, m.source.empty() ? m.type : m.source, options, m.attributes & ~late);
    if (!tree) return bind_from_host(api, root, m, std::move(tree).error());
    if (m.copy_up) return apply_tmpfs_copy(api, root, m, *std::move(tree));
    auto placed = place(api, root, m, *std::move(tree));
    if (!placed) return bind_from_host(api, root, m, std::move(placed).error());
    if (m.propagation != Propagation::Private)
        TRY(api.set_propagation(placed->get(), m.propagation, m.recursive_propagation));
    return api.set_attributes(placed->get(), m.recursive_attributes, m.recursive_clear, true);
}

}  // namespace

Status apply_mount(const MountApi& api, int root, const LaunchPlan& plan, const Mount& mount,
                   MountApi::Pending source) {
    if (mount.type == "bind" || mount.type == "image") return apply_bind(api, root, mount, std::move(source));
    if (mount.type == "remount") return remount(api, root, mount);
    if (mount.type == "cgroup") return mount_cgroups(api, root, plan, mount);
    return apply_new(api, root, plan, mount);
}

}  // namespace orlop::launch
