#include "runtime/core/image_paths.h"

#include "base/dir.h"
#include "base/weak.h"
#include "runtime/launch/rootfs.h"

namespace orlop::core {

Status image_has(const std::vector<std::string>& layers, const std::string& path) {
    if (weakened("image-part")) return ok();
    const launch::MountApi api = TRY(launch::MountApi::probe());
    launch::Root root;
    root.lowers = layers;
    // Two layers are the least; what is there twice is there.
    if (layers.size() == 1) root.lowers.push_back(layers.front());
    auto overlay = launch::new_overlay(api, root);
    if (!overlay && overlay.error().errnum() == EINVAL) return ok();
    const auto tree = TRY(std::move(overlay));
    auto found = open_under(tree.fd.get(), path, O_PATH, Resolve::InRoot);
    return found ? ok() : Status(std::move(found).error().under("image_sub_path"));
}

}  // namespace orlop::core
