#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

constexpr int kMaxDepth = 256;

Status copy_tree(int from, int to, int depth);

Status copy_attributes(int from, int to, const struct stat& st) {
    if (fchown(to, st.st_uid, st.st_gid) != 0) return Error::sys("chown");
    if (fchmod(to, st.st_mode & 07777) != 0) return Error::sys("chmod");
    std::array<char, 4096> names{};
    const ssize_t size = flistxattr(from, names.data(), names.size());
    for (ssize_t at = 0; at < size;) {
        const char* name = names.data() + at;
        std::array<char, 65536> value;
        const ssize_t length = fgetxattr(from, name, value.data(), value.size());
        // A filesystem without them has none to lose.
        if (length >= 0 && fsetxattr(to, name, value.data(), static_cast<size_t>(length), 0) != 0 &&
            errno != ENOTSUP && errno != EPERM)
            return Error::sys(std::string("set ") + name);
        at += static_cast<ssize_t>(std::string_view(name).size()) + 1;
    }
    const timespec times[] = {st.st_atim, st.st_mtim};
    return futimens(to, times) == 0 ? ok() : Status(Error::sys("set times"));
}

Status copy_file(int from_dir, int to_dir, const char* name, const struct stat& st) {
    UniqueFd from(openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!from) return Error::sys("open");
    UniqueFd to(openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to) return Error::sys("create");
    for (;;) {
        const ssize_t n = sendfile(to.get(), from.get(), nullptr, 1 << 20);
        if (n < 0) return Error::sys("copy");
        if (n == 0) break;
    }
    return copy_attributes(from.get(), to.get(), st);
}

Status copy_link(int from_dir, int to_dir, const char* name, const struct stat& st) {
    std::array<char, 4096> target{};
    const ssize_t n = readlinkat(from_dir, name, target.data(), target.size() - 1);
    if (n < 0) return Error::sys("readlink");
    if (symlinkat(target.data(), to_dir, name) != 0) return Error::sys("symlink");
    if (fchownat(to_dir, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0) return Error::sys("chown");
    return ok();
}

Status copy_dir(int from_dir, int to_dir, const char* name, const struct stat& st, int depth) {
    if (mkdirat(to_dir, name, 0700) != 0) return Error::sys("mkdir");
    UniqueFd from(openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    UniqueFd to(openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!from || !to) return Error::sys("open");
    TRY(copy_tree(from.get(), to.get(), depth + 1));
    return copy_attributes(from.get(), to.get(), st);
}

Status copy_entry(int from, int to, const char* name, int depth) {
    struct stat st {};
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return Error::sys("stat");
    switch (st.st_mode & S_IFMT) {
        case S_IFDIR:
            return copy_dir(from, to, name, st, depth);
        case S_IFREG:
            return copy_file(from, to, name, st);
        case S_IFLNK:
            return copy_link(from, to, name, st);
        default:
            if (mknodat(to, name, st.st_mode, st.st_rdev) != 0) return Error::sys("mknod");
            if (fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
                return Error::sys("chown");
            return ok();
    }
}

struct CloseDir {
    void operator()(DIR* dir) const { closedir(dir); }
};

Status copy_tree(int from, int to, int depth) {
    if (depth > kMaxDepth) return Error::failed("deeper than 256 directories");
    const int own = fcntl(from, F_DUPFD_CLOEXEC, 3);
    std::unique_ptr<DIR, CloseDir> dir(own < 0 ? nullptr : fdopendir(own));
    if (!dir) return Error::sys("read the directory");
    while (const dirent* entry = readdir(dir.get())) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        TRY(copy_entry(from, to, entry->d_name, depth).under(name));
    }
    return ok();
}

}  // namespace

Status copy_up(int from, int to) {
    struct stat st {};
    if (fstat(from, &st) != 0) return Error::sys("stat");
    TRY(copy_tree(from, to, 0));
    return copy_attributes(from, to, st);
}

}  // namespace orlop::launch
