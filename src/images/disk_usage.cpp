#include "images/disk_usage.h"

#include <set>

namespace orlop::images {

namespace {

struct Counter {
    dev_t device = 0;
    std::set<ino_t> linked;
    DiskUsage usage;

    // Whether to go on into it.
    bool add(const struct stat& st) {
        if (st.st_dev != device) return false;
        if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !linked.insert(st.st_ino).second) return false;
        usage.bytes += static_cast<uint64_t>(st.st_blocks) * 512;
        usage.inodes += 1;
        return S_ISDIR(st.st_mode);
    }
};

Status walk(const Dir& parent, const std::string& name, Counter& counter) {
    struct stat st {};
    if (fstatat(parent.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? ok() : Status(Error::sys("stat " + name));
    if (!counter.add(st)) return ok();
    const auto dir = parent.open_dir(name, Resolve::NoSymlinks);
    if (!dir) return dir.error().kind() == Kind::NotFound ? ok() : Status(dir.error());
    for (const std::string& child : TRY(dir->list())) TRY(walk(*dir, child, counter));
    return ok();
}

Result<Counter> counter_for(const Dir& dir) {
    struct stat st {};
    if (fstat(dir.fd(), &st) != 0) return Error::sys("stat " + dir.path());
    Counter counter;
    counter.device = st.st_dev;
    return counter;
}

}  // namespace

Result<DiskUsage> measure_tree(const Dir& parent, const std::string& name) {
    Counter counter = TRY(counter_for(parent));
    TRY(walk(parent, name, counter));
    return counter.usage;
}

Result<DiskUsage> measure_one(const Dir& parent, const std::string& name) {
    Counter counter = TRY(counter_for(parent));
    struct stat st {};
    if (fstatat(parent.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return counter.usage;
        return Error::sys("stat " + name);
    }
    counter.add(st);
    return counter.usage;
}

}  // namespace orlop::images
