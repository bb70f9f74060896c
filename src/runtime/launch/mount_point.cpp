#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/weak.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

constexpr int kMaxLinks = 40;  // as the kernel's MAXSYMLINKS (path_resolution(7))

std::vector<std::string> components(const std::string& path) {
    std::vector<std::string> out;
    size_t at = 0;
    while (at < path.size()) {
        const size_t next = std::min(path.find('/', at), path.size());
        std::string part = path.substr(at, next - at);
        if (part == "..") {
            if (!out.empty()) out.pop_back();
        } else if (!part.empty() && part != ".") {
            out.push_back(std::move(part));
        }
        at = next + 1;
    }
    return out;
}

Result<Spot> open_path(int root, const std::string& path, bool no_symlinks) {
    const Resolve how = no_symlinks ? Resolve::NoSymlinks : Resolve::InRoot;
    return find_spot(root, path.empty() ? "." : path, how);
}

Status make_last(int parent, const std::string& name, bool directory) {
    if (directory) {
        if (mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) return Error::sys("mkdir " + name);
        return ok();
    }
    UniqueFd made(openat(parent, name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!made && errno != EEXIST) return Error::sys("create " + name);
    return ok();
}

// A link to something that does not exist yet: what it points at is what has to be made.
Result<std::string> follow(int parent, const std::string& name, const std::string& prefix) {
    char link[4096];
    const ssize_t n = readlinkat(parent, name.c_str(), link, sizeof link);
    if (n < 0) return Error::sys("readlink " + name);
    const std::string to(link, static_cast<size_t>(n));
    return to.starts_with('/') ? to : prefix + "/" + to;
}

// As it must not be done; see weak.h.
Result<Spot> mount_point_by_path(int root, const std::string& path, bool directory) {
    const std::string full = "/proc/self/fd/" + std::to_string(root) + "/" + path;
    TRY(make_dirs(directory ? full : full.substr(0, full.rfind('/'))));
    if (!directory) TRY(make_last(AT_FDCWD, full, false));
    Spot spot{.root = root, .path = path, .how = Resolve::InRoot, .fd = {}};
    spot.fd.reset(open(full.c_str(), O_PATH | O_CLOEXEC));
    if (!spot.fd) return Error::sys("open " + full);
    return spot;
}

}  // namespace

Result<Spot> mount_point(int root, const std::string& path, bool directory, bool no_symlinks) {
    if (weakened("in-root")) return mount_point_by_path(root, path, directory);
    std::vector<std::string> parts = components(path);
    std::string done;
    for (const std::string& part : parts) done += (done.empty() ? "" : "/") + part;
    // Nearly always it is there.
    if (auto there = open_path(root, done, no_symlinks); there || there.error().errnum() != ENOENT)
        return there;
    done.clear();
    int links = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
        const std::string next = done.empty() ? parts[i] : done + "/" + parts[i];
        auto there = open_path(root, next, no_symlinks);
        if (!there && there.error().errnum() != ENOENT) return std::move(there).error();
        if (!there) {
            const Spot at = TRY(open_path(root, done, no_symlinks));
            const int parent = at.fd.get();
            struct stat st {};
            const bool dangling = fstatat(parent, parts[i].c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
            if (dangling) {
                if (no_symlinks || !S_ISLNK(st.st_mode) || ++links > kMaxLinks)
                    return Error::sys("open " + next, ELOOP);
                std::vector<std::string> target = components(TRY(follow(parent, parts[i], done)));
                target.insert(target.end(), parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, parts.end());
                parts = std::move(target);
                done.clear();
                i = static_cast<size_t>(-1);
                continue;
            }
            TRY(make_last(parent, parts[i], directory || i + 1 < parts.size()));
        }
        done = next;
    }
    return open_path(root, done, no_symlinks);
}

}  // namespace orlop::launch
