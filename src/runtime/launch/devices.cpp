#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

#include "base/dir.h"
#include "base/weak.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

// Root of a user namespace makes no nodes: the host's own is bound instead, if it is what was asked for.
Status bind_node(const MountApi& api, int root, const DeviceNode& device) {
    UniqueFd host(open(device.path.c_str(), O_PATH | O_CLOEXEC));
    if (!host) return Error::sys("open the host's " + device.path);
    struct stat st {};
    if (fstat(host.get(), &st) != 0) return Error::sys("stat " + device.path);
    const mode_t type = device.type == 'b' ? S_IFBLK : S_IFCHR;
    if ((st.st_mode & S_IFMT) != type || st.st_rdev != makedev(device.major, device.minor))
        return Error::failed("the host's " + device.path + " is another device");
    auto tree = TRY(api.clone_tree(host.get(), "", false));
    const Spot at = TRY(mount_point(root, device.path, false, false));
    UniqueFd mounted = TRY(api.attach(std::move(tree), at));
    return api.set_propagation(mounted.get(), Propagation::Private, false);
}

Status make_node(const MountApi& api, int root, const DeviceNode& device, bool in_user_namespace) {
    if (in_user_namespace && device.type != 'p') return bind_node(api, root, device).under("device");
    const size_t slash = device.path.rfind('/');
    const std::string parent_path = device.path.substr(0, slash);
    const std::string name = device.path.substr(slash + 1);
    const Spot parent = TRY(mount_point(root, parent_path, true, false));
    const mode_t type = device.type == 'b' ? S_IFBLK : device.type == 'p' ? S_IFIFO : S_IFCHR;
    if (mknodat(parent.fd.get(), name.c_str(), type | device.mode, makedev(device.major, device.minor)) !=
        0) {
        if (errno == EPERM) return bind_node(api, root, device).under("device");
        if (errno != EEXIST) return Error::sys("mknod " + device.path);
        return ok();
    }
    // The umask does not apply to what the plan says.
    UniqueFd node = TRY(open_under(parent.fd.get(), name, O_PATH | O_NOFOLLOW, Resolve::NoSymlinks));
    const std::string self = "/proc/self/fd/" + std::to_string(node.get());
    if (chmod(self.c_str(), device.mode) != 0) return Error::sys("chmod " + device.path);
    if (fchownat(node.get(), "", device.uid, device.gid, AT_EMPTY_PATH) != 0)
        return Error::sys("chown " + device.path);
    return ok();
}

}  // namespace

Status make_devices(const MountApi& api, int root, const LaunchPlan& plan) {
    // Somebody else's /dev is left as it is.
    const auto is_foreign = [](const Mount& m) { return m.target == "/dev" && m.type == "bind"; };
    if (std::any_of(plan.mounts.begin(), plan.mounts.end(), is_foreign)) return ok();
    const bool in_user_namespace = plan.user.from != NsFrom::Host;
    for (const DeviceNode& device : plan.devices) TRY(make_node(api, root, device, in_user_namespace));
    if (!plan.default_dev_links) return ok();
    const Spot dev = TRY(mount_point(root, "/dev", true, !weakened("dev-symlink")));
    static constexpr std::pair<const char*, const char*> links[] = {{"fd", "/proc/self/fd"},
                                                                    {"stdin", "/proc/self/fd/0"},
                                                                    {"stdout", "/proc/self/fd/1"},
                                                                    {"stderr", "/proc/self/fd/2"},
                                                                    {"ptmx", "pts/ptmx"}};
    for (const auto& [name, target] : links) {
        if (symlinkat(target, dev.fd.get(), name) != 0 && errno != EEXIST) {
            return Error::sys(std::string("symlink /dev/") + name);
        }
    }
    return ok();
}

}  // namespace orlop::launch
