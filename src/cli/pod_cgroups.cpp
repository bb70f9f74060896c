#include "cli/pod_cgroups.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace orlop::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kClasses[] = {"", "burstable", "besteffort"};

std::string slice_of(const std::string& qos) {
    return "kubepods" + (qos.empty() ? "" : "-" + qos);
}

// cgroup v2 has one hierarchy, mounted on the root; v1 has one in each directory of it. Links (cpu ->
// cpu,cpuacct) would show the same hierarchy twice.
std::vector<std::string> hierarchies(const std::string& root) {
    std::vector<std::string> out = {root};
    std::error_code error;
    for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error))
        if (at->is_directory(error) && !at->is_symlink(error)) out.push_back(at->path());
    return out;
}

// rmdir(2) on a cgroup fails while it has processes or children: nothing that lives can be hurt.
bool remove_empty_tree(const std::string& path) {
    std::error_code error;
    std::vector<std::string> children;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
        if (at->is_directory(error) && !at->is_symlink(error)) children.push_back(at->path());
    for (const std::string& child : children) remove_empty_tree(child);
    return rmdir(path.c_str()) == 0;
}

}  // namespace

std::vector<std::string> pod_slices(const std::string& uid) {
    std::string escaped = uid;
    std::replace(escaped.begin(), escaped.end(), '-', '_');  // '-' in a slice's name means "below"
    std::vector<std::string> out;
    for (const char* qos : kClasses) out.push_back(slice_of(qos) + "-pod" + escaped + ".slice");
    return out;
}

std::vector<std::string> pod_cgroup_paths(const std::string& uid) {
    std::vector<std::string> out;
    const std::vector<std::string> slices = pod_slices(uid);
    for (size_t i = 0; i < slices.size(); ++i) {
        const std::string qos = kClasses[i];
        out.push_back("kubepods/" + (qos.empty() ? "" : qos + "/") + "pod" + uid);
        out.push_back("kubepods.slice/" + (qos.empty() ? "" : slice_of(qos) + ".slice/") + slices[i]);
    }
    return out;
}

std::vector<std::string> unused_parent_slices(const std::string& root) {
    const std::vector<std::string> all = hierarchies(root);
    std::vector<std::string> out;
    const auto holds_others = [&out](const std::string& path) {
        std::error_code error;
        for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
            const bool counted = std::find(out.begin(), out.end(), at->path().filename()) != out.end();
            if (at->is_directory(error) && !counted) return true;
        }
        return false;
    };
    for (const char* slice : {"kubepods-burstable.slice", "kubepods-besteffort.slice", "kubepods.slice"}) {
        const std::string name = slice;
        const std::string path = name == "kubepods.slice" ? name : "kubepods.slice/" + name;
        const bool used = std::any_of(all.begin(), all.end(), [&](const std::string& hierarchy) {
            return holds_others(hierarchy + "/" + path);
        });
        if (!used) out.push_back(name);
    }
    return out;
}

CgroupsLeft remove_pod_cgroups(const std::string& root, const std::vector<std::string>& uids) {
    CgroupsLeft out;
    for (const std::string& hierarchy : hierarchies(root)) {
        for (const std::string& uid : uids) {
            if (uid.empty() || uid.find('/') != std::string::npos)
                continue;  // never a path out of the hierarchy
            for (const std::string& path : pod_cgroup_paths(uid)) {
                const std::string full = hierarchy + "/" + path;
                if (access(full.c_str(), F_OK) != 0) continue;
                if (remove_empty_tree(full)) {
                    ++out.removed;
                } else if (errno != ENOENT) {
                    out.in_use.push_back(full);
                }
            }
        }
        // Plain rmdir: they go only when no pod, of this node or another, is in them.
        for (const char* parent : {"kubepods/burstable", "kubepods/besteffort", "kubepods",
                                   "kubepods.slice/kubepods-burstable.slice",
                                   "kubepods.slice/kubepods-besteffort.slice", "kubepods.slice"})
            if (rmdir((hierarchy + "/" + parent).c_str()) == 0) ++out.removed;
    }
    return out;
}

}  // namespace orlop::cli
