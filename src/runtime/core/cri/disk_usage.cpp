#include <dirent.h>
#include <sys/stat.h>

#include <cstring>
#include <memory>
#include <set>

#include "base/dir.h"
#include "runtime/core/cri/image_service.h"

namespace orlop::core {

namespace {

constexpr int kMaxDepth = 1024;  // one descriptor a level; a container can nest directories without end

struct Walk {
    images::DiskUsage usage;
    std::set<ino_t> linked;  // inodes with several names that were counted
};

void count(Walk& walk, const struct stat& st) {
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !walk.linked.insert(st.st_ino).second) return;
    walk.usage.bytes += static_cast<uint64_t>(st.st_blocks) * 512;
    walk.usage.inodes += 1;
}

// Containers change while they are looked at: what vanishes is not counted.
void descend(Walk& walk, UniqueFd fd, dev_t device, int depth) {
    if (depth > kMaxDepth) return;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(fd.get()), closedir);
    if (!dir) return;
    const int at = fd.release();
    while (const dirent* entry = readdir(dir.get())) {
        if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
        struct stat st {};
        if (fstatat(at, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != device) continue;
        count(walk, st);
        if (!S_ISDIR(st.st_mode)) continue;
        UniqueFd child(openat(at, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (child) descend(walk, std::move(child), device, depth + 1);
    }
}

}  // namespace

Result<images::DiskUsage> disk_usage(const std::string& directory) {
    Walk walk;
    UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat st {};
    if (!fd || fstat(fd.get(), &st) != 0) return Error::sys("open " + directory);
    count(walk, st);
    descend(walk, std::move(fd), st.st_dev, 0);
    return walk.usage;
}

}  // namespace orlop::core
