#include "images/attributes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "images/layer_entry.h"

namespace orlop::images {

namespace {

std::array<timespec, 2> both(const timespec& mtime) {
    // The access time has no place in a layer; equal to mtime it is at least the same everywhere.
    return {mtime, mtime};
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> get_xattrs(int fd) {
    std::vector<std::pair<std::string, std::string>> out;
    std::string names(65536, '\0');  // XATTR_LIST_MAX
    const ssize_t length = flistxattr(fd, names.data(), names.size());
    if (length < 0 && errno == ENOTSUP) return out;
    if (length < 0) return Error::sys("list extended attributes");
    std::string value(65536, '\0');  // XATTR_SIZE_MAX
    for (size_t at = 0; at < static_cast<size_t>(length);) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        if (!keep_xattr(name)) continue;
        const ssize_t size = fgetxattr(fd, name.c_str(), value.data(), value.size());
        if (size < 0) return Error::sys("read extended attribute " + name);
        out.emplace_back(name, value.substr(0, static_cast<size_t>(size)));
    }
    return out;
}

Result<Attributes> get_attributes(int fd) {
    struct stat st {};
    if (fstat(fd, &st) != 0) return Error::sys("stat");
    return Attributes{st.st_mode & 07777, st.st_uid, st.st_gid, st.st_mtim, TRY(get_xattrs(fd))};
}

Status set_attributes(int fd, const Attributes& attributes) {
    if (fchown(fd, attributes.uid, attributes.gid) != 0) return Error::sys("chown");
    // chown(2) clears the set-id bits and security.capability: both come after it.
    if (fchmod(fd, attributes.mode) != 0) return Error::sys("chmod");
    for (const auto& [name, value] : attributes.xattrs) {
        if (fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) continue;
        // A program without its capability would fail at run time, without a user attribute hardly.
        if (errno == ENOTSUP && name != "security.capability") continue;
        return Error::sys("set extended attribute " + name);
    }
    return ok();
}

Status set_times(int fd, const timespec& mtime) {
    if (futimens(fd, both(mtime).data()) != 0) return Error::sys("set time");
    return ok();
}

Status set_attributes_at(int parent, const std::string& name, const Attributes& attributes, bool symlink) {
    if (fchownat(parent, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0)
        return Error::sys("chown");
    if (!symlink && fchmodat(parent, name.c_str(), attributes.mode, 0) != 0) return Error::sys("chmod");
    if (utimensat(parent, name.c_str(), both(attributes.mtime).data(), AT_SYMLINK_NOFOLLOW) != 0)
        return Error::sys("set time");
    return ok();
}

}  // namespace orlop::images
