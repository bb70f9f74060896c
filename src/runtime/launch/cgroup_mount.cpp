#include <unistd.h>

#include "base/weak.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

// Who may write to the cgroups above his own, or to release_agent, has the host (CVE-2022-0492).
uint64_t attributes_of(const Mount& m) {
    return weakened("cgroup-readonly") ? m.attributes & ~uint64_t{MOUNT_ATTR_RDONLY} : m.attributes;
}

constexpr uint64_t kLockedDown = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// "cpu,cpuacct" or "name=systemd" as fsconfig(2) takes them.
MountOptions hierarchy_options(const std::string& text) {
    MountOptions options;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find(',', at), text.size());
        const std::string option = text.substr(at, end - at);
        const size_t equals = option.find('=');
        if (equals == std::string::npos) {
            options.emplace_back(option, "");
        } else {
            options.emplace_back("none", "");
            options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
        }
        at = end + 1;
    }
    return options;
}

// The container's own directory of that hierarchy on the host.
std::string own_directory(const CgroupJoin& cgroup, const std::string& hierarchy) {
    for (const std::string& dir : cgroup.v1_dirs) {
        if (dir.ends_with("/" + hierarchy + cgroup.path)) return dir;
    }
    return "";
}

Result<MountApi::Pending> hierarchy(const MountApi& api, const LaunchPlan& plan, const CgroupMount& h,
                                    uint64_t attributes) {
    // A cgroup namespace is what makes a fresh mount show only the container's part.
    if (plan.cgroup_namespace.from != NsFrom::Host)
        return api.new_mount("cgroup", "cgroup", hierarchy_options(h.options), attributes);
    const std::string own = own_directory(plan.cgroup, h.directory);
    if (own.empty()) return Error::failed("the container is in no cgroup of it");
    return api.clone_tree(AT_FDCWD, own, false);
}

Status mount_v1(const MountApi& api, int root, const LaunchPlan& plan, const Mount& m) {
    const uint64_t readonly = attributes_of(m) & MOUNT_ATTR_RDONLY;
    auto tmpfs = TRY(api.new_mount("tmpfs", "tmpfs", {{"mode", "755"}}, kLockedDown));
    const Spot at = TRY(mount_point(root, m.target, true, true));
    UniqueFd base = TRY(api.attach(std::move(tmpfs), at));
    for (const CgroupMount& h : plan.cgroup_mounts) {
        if (plan.cgroup_namespace.from == NsFrom::Host && own_directory(plan.cgroup, h.directory).empty())
            continue;
        auto tree = TRY(hierarchy(api, plan, h, kLockedDown | readonly).under("hierarchy " + h.options));
        const Spot target = TRY(mount_point(base.get(), h.directory, true, true));
        UniqueFd mounted = TRY(api.attach(std::move(tree), target).under("hierarchy " + h.options));
        if (plan.cgroup_namespace.from == NsFrom::Host) {
            TRY(api.set_propagation(mounted.get(), Propagation::Private, false));
            TRY(api.set_attributes(mounted.get(), kLockedDown | readonly, 0, false));
        }
        if (h.directory.find(',') == std::string::npos) continue;
        for (const auto& [name, value] : hierarchy_options(h.options)) {
            if (symlinkat(h.directory.c_str(), base.get(), name.c_str()) != 0)
                return Error::sys("symlink " + name);
        }
    }
    return api.set_attributes(base.get(), readonly, 0, false);
}

}  // namespace

Status mount_cgroups(const MountApi& api, int root, const LaunchPlan& plan, const Mount& m) {
    if (!plan.cgroup_mounts.empty()) return mount_v1(api, root, plan, m);
    auto tree = api.new_mount("cgroup2", "cgroup", m.options, attributes_of(m));
    const Spot at = TRY(mount_point(root, m.target, true, true));
    if (tree) {
        TRY(api.attach(*std::move(tree), at));
        return ok();
    }
    // Root of a user namespace may not, unless the cgroup namespace is its own too.
    if (tree.error().errnum() != EPERM && tree.error().errnum() != EBUSY) return std::move(tree).error();
    auto copy = TRY(api.clone_tree(AT_FDCWD, "/sys/fs/cgroup", true));
    UniqueFd mounted = TRY(api.attach(std::move(copy), at));
    return api.set_attributes(mounted.get(), attributes_of(m), 0, false);
}

}  // namespace orlop::launch
