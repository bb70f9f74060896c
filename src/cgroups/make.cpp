#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/dir.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

struct Controller {
    const char* name;
    bool needed;
};
constexpr Controller kControllers[] = {{"cpu", true}, {"memory", true},   {"pids", true},  {"cpuset", false},
                                       {"io", false}, {"hugetlb", false}, {"rdma", false}, {"misc", false}};

bool has_word(std::string_view text, std::string_view word) {
    size_t at = 0;
    while ((at = text.find(word, at)) != std::string_view::npos) {
        const size_t end = at + word.size();
        const bool starts = at == 0 || text[at - 1] == ' ';
        const bool ends = end == text.size() || text[end] == ' ' || text[end] == '\n';
        if (starts && ends) return true;
        at = end;
    }
    return false;
}

// One read(2) is the whole of such a file.
Result<std::string> read_line(const std::string& path) {
    char buffer[4096];
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const ssize_t n = fd ? read(fd.get(), buffer, sizeof buffer) : -1;
    if (n < 0) return Error::sys("read " + path);
    std::string text(buffer, static_cast<size_t>(n));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

// v1 cpusets start empty and then refuse every process (kernel: admin-guide/cgroup-v1/cpusets).
Status fill_cpuset(const std::string& mount, const std::string& path, const char* file, Leaf leaf) {
    if (path.empty()) return ok();
    if (leaf == Leaf::Existed && !TRY(read_line(mount + path + file)).empty()) return ok();
    const std::string parent = path.substr(0, path.rfind('/'));
    std::string parents = TRY(read_line(mount + parent + file));
    if (parents.empty() && !parent.empty()) {
        TRY(fill_cpuset(mount, parent, file, Leaf::Existed));
        parents = TRY(read_line(mount + parent + file));
    }
    return write_value(mount + path + file, parents);
}

Result<Leaf> make_in(const std::string& mount, const std::string& path, bool cpuset) {
    const std::string dir = mount + path;
    int made = mkdir(dir.c_str(), 0755);
    if (made != 0 && errno == ENOENT && path.rfind('/') != 0) {
        TRY(make_in(mount, path.substr(0, path.rfind('/')), cpuset));
        made = mkdir(dir.c_str(), 0755);
    }
    if (made != 0 && errno != EEXIST) return Error::sys("mkdir " + dir);
    const Leaf leaf = made == 0 ? Leaf::Fresh : Leaf::Existed;
    if (cpuset) {
        TRY(fill_cpuset(mount, path, "/cpuset.cpus", leaf));
        TRY(fill_cpuset(mount, path, "/cpuset.mems", leaf));
    }
    return leaf;
}

Result<Leaf> make_all(const Hierarchies& h, const std::string& path) {
    const auto cpuset = h.v1.find("cpuset");
    Leaf leaf = Leaf::Fresh;
    // Controllers mounted together are one directory.
    for (const std::string& mount : Cgroup(h, "").directories()) {
        const bool is_cpuset = cpuset != h.v1.end() && cpuset->second == mount;
        if (TRY(make_in(mount, path, is_cpuset)) == Leaf::Existed) leaf = Leaf::Existed;
    }
    return leaf;
}

}  // namespace

Status enable_controllers(const std::string& dir, bool complete) {
    const std::string available = TRY(read_file(dir + "/cgroup.controllers"));
    const std::string file = dir + "/cgroup.subtree_control";
    const std::string enabled = TRY(read_file(file));
    std::vector<const Controller*> wanted;
    std::string all;
    for (const Controller& c : kControllers) {
        const bool must = c.needed && complete;
        if (has_word(enabled, c.name) || (!must && !has_word(available, c.name))) continue;
        wanted.push_back(&c);
        all += (all.empty() ? "+" : " +") + std::string(c.name);
    }
    if (wanted.empty() || write_value(file, all)) return ok();
    // The kernel takes all or none. Whoever asks for one that could not be enabled is told by apply().
    for (const Controller* c : wanted) {
        auto one = write_value(file, "+" + std::string(c->name));
        if (!one && c->needed && complete) return one;
    }
    return ok();
}

Status enable_above(const Hierarchies& h, const std::string& path) {
    // What a cgroup has was handed down by every one above it: mostly there is nothing to do.
    const std::string has = TRY(read_file(h.root + path + "/cgroup.controllers"));
    const auto& root = h.v2_controllers;
    const bool all = std::all_of(std::begin(kControllers), std::end(kControllers), [&](const Controller& c) {
        return has_word(has, c.name) || std::find(root.begin(), root.end(), c.name) == root.end();
    });
    if (all) return ok();
    for (size_t at = 0; at < path.size(); ++at) {
        if (path[at] == '/') TRY(enable_controllers(h.root + path.substr(0, at), h.complete));
    }
    return ok();
}

bool is_plain(std::string_view path) {
    if (path.size() < 2 || path[0] != '/' || path.find('\0') != std::string_view::npos) return false;
    for (size_t at = 1; at <= path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        if (part.empty() || part == "." || part == "..") return false;
        at = end + 1;
    }
    return true;
}

Result<Leaf> make_directories(const Hierarchies& h, const std::string& path) {
    if (!is_plain(path)) return Error::invalid("cgroup path \"" + path + "\" is not absolute and plain");
    // A parent that another removes as empty at this moment is made again.
    for (int tries = 0;; ++tries) {
        auto r = make_all(h, path);
        if (r || r.error().errnum() != ENOENT || tries == 8) return r;
    }
}

}  // namespace orlop::cgroups
