#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/dir.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

constexpr std::string_view kNeeded[] = {"cpu", "memory", "pids"};
constexpr std::string_view kUseful[] = {"cpuset", "io", "hugetlb"};

std::vector<std::string> prefixes(const std::string& path) {
    std::vector<std::string> out;
    for (size_t at = 1; at <= path.size(); ++at) {
        if (at == path.size() || path[at] == '/') out.push_back(path.substr(0, at));
    }
    return out;
}

bool has_word(const std::string& text, std::string_view word) {
    size_t at = 0;
    while ((at = text.find(word, at)) != std::string::npos) {
        const size_t end = at + word.size();
        const bool starts = at == 0 || text[at - 1] == ' ';
        const bool ends = end == text.size() || text[end] == ' ' || text[end] == '\n';
        if (starts && ends) return true;
        at = end;
    }
    return false;
}

// v1 cpusets start empty and then refuse every process (kernel: admin-guide/cgroup-v1/cpusets).
Status fill_cpuset(const std::string& dir) {
    for (const char* name : {"/cpuset.cpus", "/cpuset.mems"}) {
        const std::string own = TRY(read_file(dir + name));
        if (!own.empty() && own != "\n") continue;
        std::string parents = TRY(read_file(dir + "/.." + name));
        while (!parents.empty() && parents.back() == '\n') parents.pop_back();
        TRY(write_value(dir + name, parents));
    }
    return ok();
}

Status make_one(const std::string& dir) {
    if (mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST) return Error::sys("mkdir " + dir);
    return ok();
}

Status make_v1(const std::string& mount, const std::string& path, bool cpuset) {
    for (const std::string& part : prefixes(path)) {
        TRY(make_one(mount + part));
        if (cpuset) TRY(fill_cpuset(mount + part));
    }
    return ok();
}

Status make_all(const Hierarchies& h, const std::string& path) {
    if (h.version == Version::V2) {
        for (const std::string& part : prefixes(path)) TRY(make_one(h.root + part));
        return ok();
    }
    std::set<std::string> done;
    for (const auto& [controller, mount] : h.v1) {
        if (!done.insert(mount).second) continue;
        const auto cpuset = h.v1.find("cpuset");
        TRY(make_v1(mount, path, cpuset != h.v1.end() && cpuset->second == mount));
    }
    if (!h.hybrid_v2.empty()) {
        for (const std::string& part : prefixes(path)) TRY(make_one(h.hybrid_v2 + part));
    }
    return ok();
}

}  // namespace

Status enable_controllers(const std::string& dir) {
    const std::string available = TRY(read_file(dir + "/cgroup.controllers"));
    const std::string enabled = TRY(read_file(dir + "/cgroup.subtree_control"));
    for (const std::string_view controller : kNeeded) {
        if (has_word(enabled, controller)) continue;
        TRY(write_value(dir + "/cgroup.subtree_control", "+" + std::string(controller)));
    }
    for (const std::string_view controller : kUseful) {
        if (has_word(enabled, controller) || !has_word(available, controller)) continue;
        // Optional: whoever asks for one that could not be enabled is told by apply().
        (void)write_value(dir + "/cgroup.subtree_control", "+" + std::string(controller));
    }
    return ok();
}

Status make_directories(const Hierarchies& h, const std::string& path) {
    if (path.empty() || path[0] != '/' || path.find("/../") != std::string::npos || path.ends_with("/..")) {
        return Error::invalid("cgroup path \"" + path + "\" is not absolute and plain");
    }
    // A parent that another removes as empty at this moment is made again.
    for (int tries = 0;; ++tries) {
        auto r = make_all(h, path);
        if (r || r.error().errnum() != ENOENT || tries == 8) return r;
    }
}

}  // namespace orlop::cgroups
