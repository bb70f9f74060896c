// A directory held by fd; every path below it is resolved beneath it (openat2(2)), so that no symlink,
// ".." or race in it can lead outside.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop {

// How a path that leaves the directory is treated.
enum class Resolve {
    Beneath,     // RESOLVE_BENEATH: an absolute path or symlink, or "..", that leaves it is an error (EXDEV)
    InRoot,      // RESOLVE_IN_ROOT: as chroot(2) would: "/" and ".." stay inside
    NoSymlinks,  // RESOLVE_BENEATH and no symlink at all (ELOOP)
};

// openat2 with O_CLOEXEC added. `path` is relative to `dirfd` or, with InRoot, absolute inside it.
Result<UniqueFd> open_under(int dirfd, const std::string& path, int flags, Resolve how, mode_t mode = 0);

class Dir {
  public:
    // Opens a directory by an ordinary path (the caller's own, trusted, not from a container).
    static Result<Dir> open(const std::string& path);
    // As open, after making it and its parents (mode for those that were missing).
    static Result<Dir> make(const std::string& path, mode_t mode = 0755);
    static Dir adopt(UniqueFd fd, std::string path) { return Dir(std::move(fd), std::move(path)); }

    int fd() const { return fd_.get(); }
    // The path it was opened by: for messages and for handing to other programs.
    const std::string& path() const { return path_; }

    Result<UniqueFd> open_file(const std::string& name, int flags, mode_t mode = 0644,
                               Resolve how = Resolve::Beneath) const;
    Result<Dir> open_dir(const std::string& name, Resolve how = Resolve::Beneath) const;
    Result<Dir> make_dir(const std::string& name, mode_t mode = 0755) const;  // one level; existing is fine
    // Whole file, at most `limit` bytes (Exhausted beyond it).
    Result<std::string> read(const std::string& name, size_t limit = 16u << 20) const;
    // Temporary file in the same directory, fsync, rename, fsync of the directory: old or new, never half.
    Status write_atomic(const std::string& name, std::string_view content, mode_t mode = 0600) const;
    // Overwrites in place in one write(2): for cgroup and proc files.
    Status write(const std::string& name, std::string_view content) const;
    bool exists(const std::string& name) const;
    // Names without "." and "..", sorted.
    Result<std::vector<std::string>> list() const;
    Status unlink(const std::string& name) const;  // a file; missing is fine
    // A whole tree without following symlinks or crossing mounts; missing is fine.
    Status remove_tree(const std::string& name) const;

  private:
    Dir(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
    UniqueFd fd_;
    std::string path_;
};

// mkdir -p of a trusted path.
Status make_dirs(const std::string& path, mode_t mode = 0755);
// Reads an fd to its end, at most `limit` bytes (Exhausted beyond it).
Result<std::string> read_all(int fd, size_t limit = 16u << 20);
Result<std::string> read_file(const std::string& path, size_t limit = 16u << 20);
// Every byte, retrying EINTR and short writes.
Status write_all(int fd, std::string_view content);

}  // namespace orlop
