#include "base/walk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <deque>

namespace orlop {

namespace {

constexpr int kMaxLinks = 40;  // as the kernel's MAXSYMLINKS (path_resolution(7))

std::deque<std::string> split(const std::string& path) {
    std::deque<std::string> out;
    for (size_t at = 0; at < path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        if (end > at) out.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

// In procfs, what names no entry of procfs itself ("self" -> "12", "net" -> "self/net") is the kernel's to
// resolve.
bool is_magic(int link, const std::string& target) {
    struct statfs fs {};
    if (fstatfs(link, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC) return false;
    return target.starts_with('/') || target.find(':') != std::string::npos;
}

class Walk {
  public:
    Walk(int dirfd, Resolve how, std::string path)
        : root_(dirfd), how_(how), path_(std::move(path)), left_(split(path_)) {}

    Result<UniqueFd> open(int flags, mode_t mode) {
        if (path_.empty()) return Error::sys("open", ENOENT);
        if (path_.front() == '/' && how_ != Resolve::InRoot) return fail(EXDEV);
        must_be_dir_ = path_.back() == '/';
        while (!left_.empty()) {
            const std::string name = std::move(left_.front());
            left_.pop_front();
            if (name == ".") continue;
            if (name == "..") {
                TRY(up());
            } else if (left_.empty()) {
                auto last = TRY(open_last(name, flags, mode));
                if (last) return last;
            } else {
                TRY(down(name));
            }
        }
        UniqueFd fd(openat(here(), ".", flags | O_CLOEXEC, mode));
        return fd ? Result<UniqueFd>(std::move(fd)) : fail(errno);
    }

  private:
    Error fail(int number) const { return Error::sys("open " + path_, number); }
    int here() const { return way_.empty() ? root_ : way_.back().get(); }

    Status up() {
        if (!way_.empty()) {
            way_.pop_back();
            return ok();
        }
        return how_ == Resolve::InRoot ? ok() : Status(fail(EXDEV));
    }

    // The entry itself, whatever it is; followed if it is a link, in which case there is nothing to go to
    // yet.
    Result<UniqueFd> enter(const std::string& name, bool& followed) {
        UniqueFd fd(openat(here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!fd) return fail(errno);
        struct stat st {};
        if (fstat(fd.get(), &st) != 0) return fail(errno);
        followed = S_ISLNK(st.st_mode);
        if (followed) TRY(follow(fd.get()));
        return fd;
    }

    Status follow(int link) {
        if (how_ == Resolve::NoSymlinks || ++links_ > kMaxLinks) return fail(ELOOP);
        char text[4096];
        const ssize_t n = readlinkat(link, "", text, sizeof text);
        if (n < 0) return fail(errno);
        const std::string target(text, static_cast<size_t>(n));
        if (is_magic(link, target)) return fail(ELOOP);
        if (target.starts_with('/')) {
            if (how_ != Resolve::InRoot) return fail(EXDEV);
            way_.clear();
        }
        std::deque<std::string> more = split(target);
        if (left_.empty() && target.ends_with('/')) must_be_dir_ = true;
        left_.insert(left_.begin(), more.begin(), more.end());
        return ok();
    }

    Status down(const std::string& name) {
        bool followed = false;
        UniqueFd fd = TRY(enter(name, followed));
        if (followed) return ok();
        struct stat st {};
        if (fstat(fd.get(), &st) != 0) return fail(errno);
        if (!S_ISDIR(st.st_mode)) return fail(ENOTDIR);
        way_.push_back(std::move(fd));
        return ok();
    }

    // Nothing when it was a link to follow.
    Result<UniqueFd> open_last(const std::string& name, int flags, mode_t mode) {
        const bool exclusive = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
        if (exclusive || (flags & O_NOFOLLOW) != 0) return open_here(name, flags, mode);
        bool followed = false;
        auto entry = enter(name, followed);
        if (!entry && entry.error().errnum() == ENOENT && (flags & O_CREAT) != 0)
            return open_here(name, flags, mode);
        if (!entry) return entry;
        if (followed) return UniqueFd();
        return open_here(name, flags & ~O_CREAT, 0);
    }

    Result<UniqueFd> open_here(const std::string& name, int flags, mode_t mode) {
        if (must_be_dir_) flags |= O_DIRECTORY;
        UniqueFd fd(openat(here(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
        return fd ? Result<UniqueFd>(std::move(fd)) : fail(errno);
    }

    const int root_;
    const Resolve how_;
    const std::string path_;
    std::deque<std::string> left_;
    std::deque<UniqueFd> way_;  // from the root to here
    int links_ = 0;
    bool must_be_dir_ = false;
};

}  // namespace

Result<UniqueFd> open_by_walking(int dirfd, const std::string& path, int flags, Resolve how, mode_t mode) {
    return Walk(dirfd, how, path).open(flags, mode);
}

}  // namespace orlop
