#include "runtime/core/recovery/stray_cgroups.h"

#include <algorithm>
#include <set>

#include "base/dir.h"

namespace orlop::core {

namespace {

bool runs_our_shim(const cgroups::Cgroup& pod, const std::string& shim_dir) {
    const auto pids = pod.child("shim").processes();
    if (!pids) return false;
    return std::any_of(pids->begin(), pids->end(), [&](pid_t pid) {
        const std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline").value_or("");
        return line.find(std::string(1, '\0') + shim_dir + '\0') != std::string::npos;
    });
}

}  // namespace

std::string sandbox_of_cgroup(const std::string& name) {
    std::string id = name;
    if (!id.starts_with("orlop-")) return "";
    id = id.substr(6);
    if (id.ends_with(".scope")) id.resize(id.size() - 6);
    return HexIdRule::check(id) ? id : "";
}

std::vector<std::string> stray_pods(const cgroups::Driver& driver, const cgroups::Hierarchies& hierarchies,
                                    const State& state, const Paths& paths) {
    // The default parent is where any pod without one goes.
    const auto path = driver.pod_path("", std::string(64, '0'));
    if (!path) return {};
    const cgroups::Cgroup parent(hierarchies, path->substr(0, path->rfind('/')));
    std::set<std::string> ids;
    for (const std::string& directory : parent.directories()) {
        const auto dir = Dir::open(directory);
        if (!dir) continue;
        for (const std::string& name : dir->list().value_or({})) {
            const std::string id = sandbox_of_cgroup(name);
            if (id.empty() || state.sandboxes->get(id)) continue;
            if (runs_our_shim(parent.child(name), paths.shim(id))) ids.insert(id);
        }
    }
    return {ids.begin(), ids.end()};
}

}  // namespace orlop::core
