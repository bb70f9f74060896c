#include "cgroups/membership.h"

#include <algorithm>

#include "base/dir.h"
#include "cgroups/mountinfo.h"

namespace orlop::cgroups {

namespace {

std::string mount_of(const Hierarchies& h, const Membership& m) {
    if (m.controllers.empty()) return h.version == Version::V2 ? h.root : h.hybrid_v2;
    const auto at = h.v1.find(m.controllers.front());
    return at == h.v1.end() ? "" : at->second;
}

// A bind mount of a part of the hierarchy (a container without a cgroup namespace) shows only what is below
// its root.
std::string below_mount(const std::string& path, const std::string& mount,
                        const std::vector<MountEntry>& mounts) {
    // Left of the cgroup namespace's root.
    if (path.starts_with("/..")) return "/";
    const auto at = std::find_if(mounts.begin(), mounts.end(),
                                 [&](const MountEntry& m) { return m.mount_point == mount; });
    if (at == mounts.end() || at->root == "/" || at->root.starts_with("/..")) return path;
    if (path == at->root) return "/";
    return path.starts_with(at->root + "/") ? path.substr(at->root.size()) : "/";
}

}  // namespace

std::vector<Membership> parse_memberships(std::string_view text) {
    std::vector<Membership> out;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const size_t first = line.find(':');
        const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos || line.substr(second + 1, 1) != "/") continue;
        Membership m{.controllers = {}, .path = std::string(line.substr(second + 1))};
        for (size_t at = first + 1; at < second;) {
            const size_t comma = std::min(line.find(',', at), second);
            if (comma > at) m.controllers.emplace_back(line.substr(at, comma - at));
            at = comma + 1;
        }
        out.push_back(std::move(m));
    }
    return out;
}

Result<std::string> current_cgroup(const Hierarchies& h, const std::string& proc) {
    const std::string text = TRY(read_file(proc + "/self/cgroup"));
    const auto mounts = parse_mountinfo(TRY(read_file(proc + "/self/mountinfo")), "cgroup");
    std::string common;
    for (const Membership& m : parse_memberships(text)) {
        const std::string mount = mount_of(h, m);
        if (mount.empty()) continue;
        const std::string path = below_mount(m.path, mount, mounts);
        if (!common.empty() && path != common) return std::string("/");
        common = path;
    }
    return common.empty() ? "/" : common;
}

}  // namespace orlop::cgroups
