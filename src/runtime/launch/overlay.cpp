#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/weak.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

// A small filesystem on a directory of the host, in a mount namespace that nobody else sees: what has to be
// attached somewhere for the moment is attached in there.
class Scratch {
  public:
    static Result<Scratch> make(const MountApi& api, const std::string& at) {
        auto tmpfs = TRY(api.new_mount("tmpfs", "tmpfs", {{"mode", "700"}}, 0));
        UniqueFd host(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!host) return Error::sys("open /");
        const Spot spot = TRY(find_spot(host.get(), at, Resolve::InRoot));
        return Scratch(at, TRY(api.attach(std::move(tmpfs), spot)));
    }
    Scratch(Scratch&& other) noexcept
        : path_(std::exchange(other.path_, "")), root_(std::move(other.root_)), next_(other.next_) {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch() {
        if (!path_.empty()) umount2(path_.c_str(), MNT_DETACH);
    }

    // A new empty directory.
    Result<std::string> directory() {
        const std::string name = std::to_string(next_++);
        if (mkdirat(root_.get(), name.c_str(), 0755) != 0) return Error::sys("make " + path_ + "/" + name);
        return path_ + "/" + name;
    }
    // What it is attached to, and where.
    Result<std::pair<UniqueFd, std::string>> attach(const MountApi& api, MountApi::Pending tree) {
        const std::string at = TRY(directory());
        const Spot spot = TRY(find_spot(root_.get(), at.substr(path_.size() + 1), Resolve::NoSymlinks));
        UniqueFd mounted = TRY(api.attach(std::move(tree), spot));
        return std::pair(std::move(mounted), at);
    }

  private:
    Scratch(std::string path, UniqueFd root) : path_(std::move(path)), root_(std::move(root)) {}
    std::string path_;
    UniqueFd root_;
    int next_ = 0;
};

// overlayfs maps no owners itself (no FS_ALLOW_IDMAP), but takes layers that are mapped (Linux 5.19).
Status map_layers(const MountApi& api, Scratch& scratch, int user_namespace, Root& root) {
    for (std::string& lower : root.lowers) {
        auto tree = TRY(api.clone_tree(AT_FDCWD, lower, false).under("layer " + lower));
        TRY(api.set_idmap(tree.fd.get(), user_namespace, false).under("map the owners of layer " + lower));
        lower = TRY(scratch.attach(api, std::move(tree))).second;
    }
    return ok();
}

Result<MountApi::Pending> overlay_in(const MountApi& api, Scratch& scratch, int user_namespace, Root root) {
    if (user_namespace >= 0) TRY(map_layers(api, scratch, user_namespace, root));
    // Two layers are the least that overlayfs takes without one to write to.
    if (root.upper.empty()) root.lowers.push_back(TRY(scratch.directory()));
    auto overlay = new_overlay(api, root);
    if (overlay || overlay.error().errnum() != EINVAL) return overlay;
    const std::string at = TRY(scratch.directory());
    TRY(mount_overlay(root, at));
    auto copy = api.clone_tree(AT_FDCWD, at, false);
    umount2(at.c_str(), MNT_DETACH);
    return copy;
}

Result<MountApi::Pending> image_volume(const MountApi& api, Scratch& scratch, int user_namespace,
                                       const Mount& m) {
    Root root;
    for (const auto& [key, layer] : m.options) root.lowers.push_back(layer);
    auto overlay = TRY(overlay_in(api, scratch, user_namespace, std::move(root)));
    if (m.source.empty()) return overlay;
    // Only of what is attached in one's own mount namespace may a part be copied (before Linux 6.15).
    const auto [whole, at] = TRY(scratch.attach(api, std::move(overlay)));
    if (weakened("image-part")) return api.clone_tree(AT_FDCWD, at + m.source, false);
    const Spot part = TRY(find_spot(whole.get(), m.source, Resolve::InRoot).under("in the image"));
    return api.clone_tree(part.fd.get(), "", false);
}

}  // namespace

Result<MountApi::Pending> new_overlay(const MountApi& api, const Root& root) {
    if (!api.detached()) return Error::sys("fsopen", EINVAL);
    MountOptions options;
    // "lowerdir+": one layer a call, no limit on the length of them all.
    for (const std::string& lower : root.lowers) options.emplace_back("lowerdir+", lower);
    if (root.upper.empty()) return api.new_mount("overlay", "orlop", options, 0);
    options.insert(options.end(), {{"upperdir", root.upper}, {"workdir", root.work}});
    if (root.is_volatile) options.emplace_back("volatile", "");
    return api.new_mount("overlay", "orlop", options, 0);
}

// Older kernels take one string of a page: descriptors keep each layer's share of it at some twenty bytes.
Result<UniqueFd> mount_overlay(const Root& root, const std::string& staging) {
    std::vector<UniqueFd> layers;
    std::string data;
    if (!root.upper.empty())
        data = "upperdir=" + root.upper + ",workdir=" + root.work + (root.is_volatile ? ",volatile," : ",");
    for (const std::string& lower : root.lowers) {
        UniqueFd& fd = layers.emplace_back(open(lower.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!fd) return Error::sys("open layer " + lower);
        data +=
            (layers.size() == 1 ? "lowerdir=/proc/self/fd/" : ":/proc/self/fd/") + std::to_string(fd.get());
    }
    TRY(mount_overlay_classic(staging, data));
    UniqueFd mount(open(staging.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!mount) return Error::sys("open " + staging);
    return mount;
}

Status take_overlays(const MountApi& api, const LaunchPlan& plan, int user_namespace, Sources& sources) {
    std::optional<Scratch> scratch;
    const auto ready = [&]() -> Status {
        if (!api.detached()) return Error::unimplemented("image volumes need Linux 5.2 (fsopen)");
        if (!scratch) scratch.emplace(TRY(Scratch::make(api, plan.staging_dir)));
        return ok();
    };
    for (size_t i = 0; i < plan.mounts.size(); ++i) {
        const Mount& m = plan.mounts[i];
        if (m.type != "image") continue;
        TRY(ready());
        sources.binds[i] =
            TRY(image_volume(api, *scratch, user_namespace, m).under("image volume on " + m.target));
    }
    if (user_namespace < 0) return ok();
    TRY(ready());
    sources.root = TRY(overlay_in(api, *scratch, user_namespace, plan.root).under("mount the root overlay"));
    return ok();
}

}  // namespace orlop::launch
