#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>

#include "base/dir.h"
#include "cgroups/cgroup.h"
#include "cgroups/mountinfo.h"

namespace orlop::cgroups {

namespace {

// Super options of a v1 hierarchy that are not controllers (kernel: admin-guide/cgroup-v1/cgroups).
constexpr std::string_view kNotControllers[] = {"rw", "ro", "xattr", "clone_children", "noprefix", "none"};

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> out;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find(separator, at), text.size());
        if (end > at) out.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

void add_v1(Hierarchies& h, const MountEntry& mount) {
    for (const std::string& option : split(mount.super_options, ',')) {
        const bool other = std::find(std::begin(kNotControllers), std::end(kNotControllers), option) !=
                           std::end(kNotControllers);
        if (other || option.starts_with("release_agent=") || option.starts_with("seclabel")) continue;
        h.v1.try_emplace(option, mount.mount_point);
    }
}

Result<std::vector<std::string>> controllers_of(const std::string& mount) {
    std::string text = TRY(read_file(mount + "/cgroup.controllers"));
    std::replace(text.begin(), text.end(), '\n', ' ');
    return split(text, ' ');
}

Status require(const Hierarchies& h) {
    std::string missing;
    const auto has = [&h](const std::string& controller) {
        if (h.version == Version::V1) return h.v1.contains(controller);
        return std::find(h.v2_controllers.begin(), h.v2_controllers.end(), controller) !=
               h.v2_controllers.end();
    };
    std::vector<std::string> needed = {"cpu", "memory", "pids"};
    if (h.version == Version::V1) needed.insert(needed.end(), {"cpuacct", "devices"});
    for (const std::string& controller : needed) {
        if (!has(controller)) missing += " " + controller;
    }
    if (missing.empty()) return ok();
    return Error::unimplemented("cgroup controllers missing:" + missing +
                                "; mount them (v1) or enable them in the root's cgroup.subtree_control (v2)");
}

}  // namespace

Result<Hierarchies> detect(const std::string& proc) {
    Hierarchies h = TRY(detect_any(proc));
    TRY(require(h));
    h.complete = true;
    return h;
}

Result<Hierarchies> detect_any(const std::string& proc) {
    Hierarchies h{.complete = false};
    struct statfs fs {};
    // On most hosts one look says all, and /proc/self/mountinfo may be long.
    if (proc == "/proc" && statfs(h.root.c_str(), &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
        h.v2_controllers = TRY(controllers_of(h.root));
        return h;
    }
    const std::string text = TRY(read_file(proc + "/self/mountinfo"));
    std::string v2;
    for (const MountEntry& mount : parse_mountinfo(text, "cgroup")) {
        if (mount.type == "cgroup2" && v2.empty()) v2 = mount.mount_point;
        if (mount.type == "cgroup") add_v1(h, mount);
    }
    if (v2.empty() && h.v1.empty())
        return Error::unimplemented("no cgroup filesystem is mounted below /sys/fs/cgroup");
    // Limits live where the memory controller is; cgroup2 beside v1 only tracks processes.
    h.version = h.v1.contains("memory") || v2.empty() ? Version::V1 : Version::V2;
    if (!v2.empty()) h.v2_controllers = TRY(controllers_of(v2));
    if (h.version == Version::V2) {
        h.v1.clear();
        h.root = v2;
    } else {
        h.hybrid_v2 = v2;
    }
    return h;
}

}  // namespace orlop::cgroups
