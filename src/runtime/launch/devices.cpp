#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <utility>

#include "base/dir.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

Status make_node(int root, const DeviceNode& device) {
    const size_t slash = device.path.rfind('/');
    const std::string parent_path = device.path.substr(0, slash);
    const std::string name = device.path.substr(slash + 1);
    UniqueFd parent = TRY(mount_point(root, parent_path, true, false));
    const mode_t type = device.type == 'b' ? S_IFBLK : S_IFCHR;
    if (mknodat(parent.get(), name.c_str(), type | device.mode, makedev(device.major, device.minor)) != 0) {
        if (errno != EEXIST) return Error::sys("mknod " + device.path);
        return ok();
    }
    // The umask does not apply to what the plan says.
    UniqueFd node = TRY(open_under(parent.get(), name, O_PATH | O_NOFOLLOW, Resolve::NoSymlinks));
    const std::string self = "/proc/self/fd/" + std::to_string(node.get());
    if (chmod(self.c_str(), device.mode) != 0) return Error::sys("chmod " + device.path);
    if (fchownat(node.get(), "", device.uid, device.gid, AT_EMPTY_PATH) != 0)
        return Error::sys("chown " + device.path);
    return ok();
}

}  // namespace

Status make_devices(int root, const std::vector<DeviceNode>& devices) {
    for (const DeviceNode& device : devices) TRY(make_node(root, device));
    UniqueFd dev = TRY(mount_point(root, "/dev", true, true));
    static constexpr std::pair<const char*, const char*> links[] = {{"fd", "/proc/self/fd"},
                                                                    {"stdin", "/proc/self/fd/0"},
                                                                    {"stdout", "/proc/self/fd/1"},
                                                                    {"stderr", "/proc/self/fd/2"},
                                                                    {"ptmx", "pts/ptmx"}};
    for (const auto& [name, target] : links) {
        if (symlinkat(target, dev.get(), name) != 0 && errno != EEXIST) {
            return Error::sys(std::string("symlink /dev/") + name);
        }
    }
    return ok();
}

}  // namespace orlop::launch
