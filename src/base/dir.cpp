#include "base/dir.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <memory>

#include "base/strong.h"
#include "base/walk.h"

namespace orlop {

namespace {

uint64_t resolve_flags(Resolve how) {
    switch (how) {
        case Resolve::Beneath:
            return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
        case Resolve::InRoot:
            return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
        case Resolve::NoSymlinks:
            return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    }
    return RESOLVE_BENEATH;
}

struct CloseDir {
    void operator()(DIR* dir) const { closedir(dir); }
};

Result<std::vector<std::string>> list_fd(int fd) {
    UniqueFd own(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!own) return Error::sys("open directory");
    std::unique_ptr<DIR, CloseDir> dir(fdopendir(own.get()));
    if (!dir) return Error::sys("fdopendir");
    (void)own.release();
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(dir.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    if (errno != 0) return Error::sys("readdir");
    std::sort(names.begin(), names.end());
    return names;
}

// Depth-first by directory fds; `device` keeps it from crossing into a mount.
Status remove_at(int parent, const std::string& name, dev_t device) {
    if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return ok();
    if (errno != EISDIR && errno != EPERM) return Error::sys("unlink " + name);
    UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return Error::sys("open " + name);
    struct stat st {};
    if (fstat(fd.get(), &st) != 0) return Error::sys("stat " + name);
    if (st.st_dev != device) return Error::sys("remove " + name, EXDEV);
    for (const std::string& child : TRY(list_fd(fd.get()))) {
        TRY(remove_at(fd.get(), child, device).under(name));
    }
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return Error::sys("rmdir " + name);
    return ok();
}

}  // namespace

Result<UniqueFd> open_under(int dirfd, const std::string& path, int flags, Resolve how, mode_t mode) {
    open_how request{};
    request.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
    // openat2(2): a mode without O_CREAT or O_TMPFILE is EINVAL.
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) request.mode = mode;
    request.resolve = resolve_flags(how);
    for (int tries = 0;; ++tries) {
        const long fd = syscall(SYS_openat2, dirfd, path.c_str(), &request, sizeof request);
        if (fd >= 0) return UniqueFd(static_cast<int>(fd));
        // EAGAIN: a rename raced with ".." resolution; the kernel asks for a retry.
        if ((errno == EAGAIN && tries < 32) || errno == EINTR) continue;
        if (errno == ENOSYS) return open_by_walking(dirfd, path, flags, how, mode);
        return Error::sys("open " + path);
    }
}

Result<Dir> Dir::open(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return Error::sys("open directory " + path);
    return Dir(std::move(fd), path);
}

Result<Dir> Dir::make(const std::string& path, mode_t mode) {
    TRY(make_dirs(path, mode));
    return open(path);
}

Result<UniqueFd> Dir::open_file(const std::string& name, int flags, mode_t mode, Resolve how) const {
    return open_under(fd(), name, flags, how, mode).under(path_);
}

Result<Dir> Dir::open_dir(const std::string& name, Resolve how) const {
    UniqueFd fd = TRY(open_under(fd_.get(), name, O_RDONLY | O_DIRECTORY, how).under(path_));
    return Dir(std::move(fd), path_ + "/" + name);
}

Result<Dir> Dir::make_dir(const std::string& name, mode_t mode) const {
    if (mkdirat(fd(), name.c_str(), mode) != 0 && errno != EEXIST)
        return Error::sys("mkdir " + path_ + "/" + name);
    return open_dir(name);
}

Result<std::string> Dir::read(const std::string& name, size_t limit) const {
    UniqueFd fd = TRY(open_file(name, O_RDONLY));
    return read_all(fd.get(), limit).under(path_ + "/" + name);
}

Status Dir::write_atomic(const std::string& name, std::string_view content, mode_t mode) const {
    const std::string temporary = "." + name + "." + random_uuid().substr(0, 8) + ".tmp";
    const auto write_it = [&]() -> Status {
        UniqueFd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
        TRY(write_all(fd.get(), content));
        if (fsync(fd.get()) != 0) return Error::sys("fsync");
        if (renameat(this->fd(), temporary.c_str(), this->fd(), name.c_str()) != 0)
            return Error::sys("rename");
        if (fsync(this->fd()) != 0) return Error::sys("fsync directory");
        return ok();
    };
    if (auto r = write_it(); !r) {
        unlinkat(fd(), temporary.c_str(), 0);
        return std::move(r).error().under("write " + path_ + "/" + name);
    }
    return ok();
}

Status Dir::write(const std::string& name, std::string_view content) const {
    UniqueFd fd = TRY(open_file(name, O_WRONLY));
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0) return Error::sys("write " + path_ + "/" + name);
    if (static_cast<size_t>(n) != content.size())
        return Error::failed("short write to " + path_ + "/" + name);
    return ok();
}

bool Dir::exists(const std::string& name) const {
    return faccessat(fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::vector<std::string>> Dir::list() const {
    return list_fd(fd()).under(path_);
}

Status Dir::unlink(const std::string& name) const {
    if (unlinkat(fd(), name.c_str(), 0) != 0 && errno != ENOENT)
        return Error::sys("unlink " + path_ + "/" + name);
    return ok();
}

Status Dir::remove_tree(const std::string& name) const {
    struct stat st {};
    if (fstat(fd(), &st) != 0) return Error::sys("stat " + path_);
    return remove_at(fd(), name, st.st_dev).under(path_);
}

Status make_dirs(const std::string& path, mode_t mode) {
    for (size_t at = 1; at <= path.size(); ++at) {
        if (at != path.size() && path[at] != '/') continue;
        const std::string part = path.substr(0, at);
        if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return Error::sys("mkdir " + part);
    }
    return ok();
}

Result<std::string> read_all(int fd, size_t limit) {
    std::string out;
    char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("read");
        if (n == 0) return out;
        if (out.size() + static_cast<size_t>(n) > limit) {
            return Error(Kind::Exhausted, "more than " + std::to_string(limit) + " bytes");
        }
        out.append(buffer, static_cast<size_t>(n));
    }
}

Result<std::string> read_file(const std::string& path, size_t limit) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    return read_all(fd.get(), limit).under(path);
}

Status write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("write");
        content.remove_prefix(static_cast<size_t>(n));
    }
    return ok();
}

}  // namespace orlop
