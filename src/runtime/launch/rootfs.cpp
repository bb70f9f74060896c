#include "runtime/launch/rootfs.h"

#include <fcntl.h>

#include <algorithm>

namespace orlop::launch {

namespace {

constexpr uint64_t kLockedDown = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

std::string name_of(const Mount& m) {
    return "mount " + m.type + (m.type == "bind" ? " of " + m.source : "") + " on " + m.target;
}

Status map_owners(const MountApi& api, const LaunchPlan& plan, const Mount& m, int tree) {
    if (!m.idmap) return ok();
    const bool own = m.uid_map.empty() && m.gid_map.empty();
    UniqueFd ns = TRY(idle_user_namespace(own ? plan.uid_map : m.uid_map, own ? plan.gid_map : m.gid_map));
    return api.set_idmap(tree, ns.get(), m.recursive_idmap);
}

}  // namespace

bool parent_takes_sources(const LaunchPlan& plan) {
    const auto is_idmapped = [](const Mount& m) { return m.idmap; };
    return plan.user.from != NsFrom::Host || std::any_of(plan.mounts.begin(), plan.mounts.end(), is_idmapped);
}

Result<Sources> take_sources(const MountApi& api, const LaunchPlan& plan) {
    Sources out;
    if (!plan.root.path.empty()) {
        out.root = TRY(api.clone_tree(AT_FDCWD, plan.root.path, true).under("root " + plan.root.path));
    }
    for (const Mount& m : plan.mounts) {
        MountApi::Pending& tree = out.binds.emplace_back();
        if (m.type != "bind") continue;
        tree = TRY(api.clone_tree(AT_FDCWD, m.source, m.recursive).under(name_of(m)));
        TRY(map_owners(api, plan, m, tree.fd.get()).under(name_of(m)));
    }
    return out;
}

Status build_root(const MountApi& api, const LaunchPlan& plan, Sources sources,
                  const std::function<Status()>& before_masking) {
    TRY(make_all_private());
    if (plan.user.from == NsFrom::Host) TRY(take_overlays(api, plan, -1, sources));
    UniqueFd root = TRY(mount_root(api, plan, std::move(sources.root)));
    bool devices_made = false;
    for (size_t i = 0; i < plan.mounts.size(); ++i) {
        const Mount& m = plan.mounts[i];
        TRY(apply_mount(api, root.get(), plan, m, std::move(sources.binds[i])).under(name_of(m)));
        if (!devices_made && m.target == "/dev") {
            TRY(make_devices(api, root.get(), plan));
            devices_made = true;
        }
    }
    if (!devices_made && !plan.devices.empty()) TRY(make_devices(api, root.get(), plan));
    TRY(before_masking());
    TRY(hide_paths(api, root.get(), plan));
    TRY(enter_root(root.get(), plan.root.pivot));
    const Propagation last = plan.root.propagation;
    if (last == Propagation::Shared || last == Propagation::Unbindable)
        TRY(api.set_propagation(root.get(), last, false).under("propagation of the root"));
    return ok();
}

Status enter_empty_root(const MountApi& api) {
    TRY(make_all_private());
    auto empty = TRY(api.new_mount("tmpfs", "tmpfs", {{"size", "0"}, {"nr_inodes", "1"}},
                                   kLockedDown | MOUNT_ATTR_RDONLY));
    UniqueFd host(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!host) return Error::sys("open /");
    // Any directory will do: this mount namespace shows nothing else afterwards.
    const Spot at = TRY(find_spot(host.get(), "proc", Resolve::NoSymlinks));
    UniqueFd root = TRY(api.attach(std::move(empty), at));
    return enter_root(root.get(), true);
}

}  // namespace orlop::launch
