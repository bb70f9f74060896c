#include "runtime/launch/rootfs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "base/dir.h"
#include "runtime/launch/mount_api.h"

namespace orlop::launch {

namespace {

constexpr uint64_t kShared = 1ul << 20, kPrivate = 1ul << 18, kSlave = 1ul << 19;  // MS_* of mount(2)
constexpr uint64_t kLockedDown = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// A bind source is cloned while the host is still in sight and its mounts still have their peers.
struct Prepared {
    const Mount* mount;
    UniqueFd tree;  // binds only
};

std::string name_of(const Mount& m) {
    return "mount " + m.type + (m.type == "bind" ? " of " + m.source : "") + " on " + m.target;
}

Result<std::vector<Prepared>> clone_bind_sources(const std::vector<Mount>& mounts) {
    std::vector<Prepared> out;
    for (const Mount& m : mounts) {
        Prepared p{&m, {}};
        if (m.type == "bind") p.tree = TRY(clone_tree(AT_FDCWD, m.source, true).under(name_of(m)));
        out.push_back(std::move(p));
    }
    return out;
}

// fsconfig(2) "lowerdir+" (kernel 6.7): one layer a call, no limit on the length of them all.
Result<UniqueFd> overlay_by_fsconfig(const Root& root, const std::string& staging) {
    MountOptions options;
    for (const std::string& lower : root.lowers) options.emplace_back("lowerdir+", lower);
    options.insert(options.end(), {{"upperdir", root.upper}, {"workdir", root.work}});
    if (root.is_volatile) options.emplace_back("volatile", "");
    UniqueFd mount = TRY(new_mount("overlay", "orlop", options, 0));
    TRY(attach_at(mount.get(), staging));
    return mount;
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
    TRY(mount_classic("overlay", staging, data));
    UniqueFd mount(open(staging.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!mount) return Error::sys("open " + staging);
    return mount;
}

Result<UniqueFd> mount_root(const Root& root, const std::string& staging) {
    auto mount = overlay_by_fsconfig(root, staging);
    if (!mount && mount.error().errnum() == EINVAL) mount = overlay_by_mount(root, staging);
    return std::move(mount).under("mount the root overlay");
}

bool must_be_real(const Mount& m) {
    return m.type != "bind" && (m.type != "tmpfs" || m.target == "/dev");
}

Status place(int root, const Mount& m, int tree) {
    const bool directory = m.make_directory;
    UniqueFd target = TRY(mount_point(root, m.target, directory, must_be_real(m)));
    return attach(tree, target.get());
}

Status apply_bind(int root, const Mount& m, int tree) {
    TRY(place(root, m, tree));
    switch (m.propagation) {
        case Propagation::Private:
            TRY(set_propagation(tree, kPrivate, true));
            break;
        case Propagation::Slave:
            TRY(set_propagation(tree, kSlave, true));
            break;
        case Propagation::Shared:
            break;  // the clone is still a peer of the host's mount
    }
    if (m.recursive_readonly) TRY(set_attributes(tree, MOUNT_ATTR_RDONLY, 0, true));
    if (m.attributes != 0) TRY(set_attributes(tree, m.attributes, 0, false));
    return ok();
}

Status mount_cgroup_v1(int root, const Mount& m, const std::vector<CgroupMount>& hierarchies) {
    UniqueFd base = TRY(new_mount("tmpfs", "tmpfs", {{"mode", "755"}}, kLockedDown));
    TRY(place(root, m, base.get()));
    for (const CgroupMount& h : hierarchies) {
        MountOptions options;
        for (size_t at = 0; at < h.options.size();) {
            const size_t end = std::min(h.options.find(',', at), h.options.size());
            const std::string option = h.options.substr(at, end - at);
            const size_t equals = option.find('=');
            if (equals == std::string::npos) {
                options.emplace_back(option, "");
            } else {
                options.emplace_back("none", "");
                options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
            }
            at = end + 1;
        }
        UniqueFd mount =
            TRY(new_mount("cgroup", "cgroup", options, kLockedDown | (m.attributes & MOUNT_ATTR_RDONLY))
                    .under("hierarchy " + h.options));
        UniqueFd target = TRY(mount_point(base.get(), h.directory, true, true));
        TRY(attach(mount.get(), target.get()));
        if (h.directory.find(',') == std::string::npos) continue;
        for (const auto& [name, value] : options) {
            if (symlinkat(h.directory.c_str(), base.get(), name.c_str()) != 0)
                return Error::sys("symlink " + name);
        }
    }
    return set_attributes(base.get(), m.attributes & MOUNT_ATTR_RDONLY, 0, false);
}

Status apply_mount(int root, const Prepared& p, const LaunchPlan& plan) {
    const Mount& m = *p.mount;
    if (m.type == "bind") return apply_bind(root, m, p.tree.get());
    if (m.type == "cgroup" && !plan.cgroup_mounts.empty())
        return mount_cgroup_v1(root, m, plan.cgroup_mounts);
    const std::string type = m.type == "cgroup" ? "cgroup2" : m.type;
    UniqueFd mount = TRY(new_mount(type, m.source.empty() ? type : m.source, m.options, m.attributes));
    return place(root, m, mount.get());
}

// CVE-2025-31133: what is bound over a file must really be the null device.
Result<UniqueFd> null_tree() {
    UniqueFd null = TRY(open_under(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW, Resolve::InRoot));
    struct stat st {};
    if (fstat(null.get(), &st) != 0) return Error::sys("stat /dev/null");
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
        return Error::failed("/dev/null is not the null device");
    return clone_tree(null.get(), "", false);
}

Status mask(const std::string& path, UniqueFd& empty_dir) {
    auto target = open_under(AT_FDCWD, path, O_PATH | O_NOFOLLOW, Resolve::InRoot);
    if (!target && target.error().errnum() == ENOENT) return ok();
    UniqueFd at = TRY(std::move(target));
    struct stat st {};
    if (fstat(at.get(), &st) != 0) return Error::sys("stat " + path);
    if (!S_ISDIR(st.st_mode)) return attach(TRY(null_tree()).get(), at.get());
    if (empty_dir) return attach(TRY(clone_tree(empty_dir.get(), "", false)).get(), at.get());
    // One empty filesystem serves every masked directory.
    empty_dir = TRY(
        new_mount("tmpfs", "tmpfs", {{"size", "0"}, {"nr_inodes", "1"}}, kLockedDown | MOUNT_ATTR_RDONLY));
    return attach(empty_dir.get(), at.get());
}

Status make_readonly(const std::string& path) {
    auto target = open_under(AT_FDCWD, path, O_PATH | O_NOFOLLOW, Resolve::InRoot);
    if (!target && target.error().errnum() == ENOENT) return ok();
    UniqueFd at = TRY(std::move(target));
    UniqueFd tree = TRY(clone_tree(at.get(), "", true));
    TRY(set_attributes(tree.get(), MOUNT_ATTR_RDONLY, 0, true));
    return attach(tree.get(), at.get());
}

}  // namespace

Status build_root(const LaunchPlan& plan) {
    std::vector<Prepared> mounts = TRY(clone_bind_sources(plan.mounts));
    TRY(make_all_private());
    UniqueFd root = TRY(mount_root(plan.root, plan.staging_dir));
    bool devices_made = plan.devices.empty();
    for (Prepared& p : mounts) {
        TRY(apply_mount(root.get(), p, plan).under(name_of(*p.mount)));
        p.tree.reset();
        if (!devices_made && p.mount->target == "/dev") {
            TRY(make_devices(root.get(), plan.devices));
            devices_made = true;
        }
    }
    if (!devices_made) TRY(make_devices(root.get(), plan.devices));
    TRY(enter_root(root.get()));
    UniqueFd empty_dir;
    for (const std::string& path : plan.masked_paths) TRY(mask(path, empty_dir).under("mask " + path));
    for (const std::string& path : plan.readonly_paths)
        TRY(make_readonly(path).under("make read-only " + path));
    return ok();
}

Status enter_empty_root() {
    TRY(make_all_private());
    UniqueFd root = TRY(
        new_mount("tmpfs", "tmpfs", {{"size", "0"}, {"nr_inodes", "1"}}, kLockedDown | MOUNT_ATTR_RDONLY));
    // Any directory will do: this mount namespace shows nothing else afterwards.
    TRY(attach_at(root.get(), "/proc"));
    return enter_root(root.get());
}

}  // namespace orlop::launch
