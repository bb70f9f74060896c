#include "images/layer_entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/sysmacros.h>

#include <limits>

#include "base/weak.h"

namespace orlop::images {

namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kMeta = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

// (uid_t)-1 means "leave as it is" to chown(2): the file would stay root's.
Result<uid_t> check_id(int64_t id) {
    if (id < 0 || id >= std::numeric_limits<uid_t>::max())
        return Error::invalid("owner " + std::to_string(id) + " is out of range");
    return static_cast<uid_t>(id);
}

Result<EntryKind> kind_of(archive_entry* entry) {
    if (archive_entry_hardlink(entry) != nullptr) return EntryKind::HardLink;
    switch (archive_entry_filetype(entry)) {
        case AE_IFREG:
            return EntryKind::File;
        case AE_IFDIR:
            return EntryKind::Directory;
        case AE_IFLNK:
            return EntryKind::Symlink;
        case AE_IFCHR:
            return EntryKind::CharDevice;
        case AE_IFBLK:
            return EntryKind::BlockDevice;
        case AE_IFIFO:
            return EntryKind::Fifo;
        default:
            return Error::invalid("unknown file type");
    }
}

// Turns the whiteout names into what they stand for.
Status translate_whiteout(LayerEntry& entry) {
    const size_t slash = entry.path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : entry.path.substr(0, slash);
    const std::string name = slash == std::string::npos ? entry.path : entry.path.substr(slash + 1);
    if (parent.starts_with(kMeta)) {
        entry.kind = EntryKind::Ignored;
        return ok();
    }
    if (parent.starts_with(kWhiteout) || parent.find("/" + std::string(kWhiteout)) != std::string::npos)
        return Error::invalid("an entry below a whiteout");
    if (name == kOpaque) {
        entry.kind = EntryKind::Opaque;
        entry.path = parent;
    } else if (name.starts_with(kMeta)) {
        entry.kind = EntryKind::Ignored;
    } else if (name.starts_with(kWhiteout)) {
        const std::string hidden = name.substr(kWhiteout.size());
        if (hidden.empty() || hidden == "." || hidden == "..") return Error::invalid("a whiteout of nothing");
        entry.kind = EntryKind::Whiteout;
        entry.path = parent.empty() ? hidden : parent + "/" + hidden;
    }
    return ok();
}

void take_xattrs(archive_entry* from, LayerEntry& to) {
    archive_entry_xattr_reset(from);
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    while (archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK) {
        if (name == nullptr || !keep_xattr(name)) continue;
        to.xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
}

Status take_links(archive_entry* from, LayerEntry& to, const UnpackLimits& limits) {
    if (to.kind == EntryKind::HardLink) {
        const auto target = clean_path(archive_entry_hardlink(from), limits);
        if (!target) return Error(target.error()).under("hard link");
        if (target->empty() || *target == to.path) return Error::invalid("hard link to itself or the root");
        to.link = *target;
    }
    if (to.kind == EntryKind::Symlink) {
        const char* target = archive_entry_symlink(from);
        to.link = target == nullptr ? "" : target;
        if (to.link.empty() || to.link.size() > limits.path)
            return Error::invalid("symbolic link with an empty or too long target");
    }
    return ok();
}

Result<LayerEntry> translate(archive_entry* from, const std::string& raw, const UnpackLimits& limits) {
    LayerEntry to;
    to.path = TRY(clean_path(raw, limits));
    to.kind = TRY(kind_of(from));
    TRY(translate_whiteout(to));
    if (to.kind == EntryKind::Ignored || to.kind == EntryKind::Whiteout || to.kind == EntryKind::Opaque)
        return to;
    if (to.path.empty() && to.kind != EntryKind::Directory)
        return Error::invalid("the root of a layer must be a directory");
    TRY(take_links(from, to, limits));
    to.mode = archive_entry_perm(from) & 07777;
    to.uid = TRY(check_id(archive_entry_uid(from)));
    to.gid = TRY(check_id(archive_entry_gid(from)));
    to.mtime = {archive_entry_mtime(from), archive_entry_mtime_nsec(from)};
    if (to.kind == EntryKind::CharDevice || to.kind == EntryKind::BlockDevice)
        to.device = makedev(static_cast<unsigned>(archive_entry_rdevmajor(from)),
                            static_cast<unsigned>(archive_entry_rdevminor(from)));
    if (to.kind == EntryKind::File) {
        const int64_t size = archive_entry_size(from);
        if (size < 0 || static_cast<uint64_t>(size) > limits.bytes)
            return Error(Kind::Exhausted, "file of " + std::to_string(size) + " bytes is over the limit");
        to.size = static_cast<uint64_t>(size);
    }
    take_xattrs(from, to);
    return to;
}

}  // namespace

Result<std::string> clean_path(std::string_view raw, const UnpackLimits& limits) {
    if (raw.empty()) return Error::invalid("empty path");
    if (raw.size() > limits.path)
        return Error(Kind::Exhausted, "path of " + std::to_string(raw.size()) + " bytes");
    std::string out;
    size_t depth = 0;
    for (size_t at = 0; at < raw.size();) {
        const size_t end = std::min(raw.find('/', at), raw.size());
        const std::string_view part = raw.substr(at, end - at);
        at = end + 1;
        if (part.empty() || part == ".") continue;
        if (part == ".." && !weakened("unpack-in-root"))
            return Error::invalid("path leads out of the layer (\"..\")");
        if (part.size() > 255) return Error(Kind::Exhausted, "file name of more than 255 bytes");
        if (++depth > limits.depth)
            return Error(Kind::Exhausted, "more than " + std::to_string(limits.depth) + " directories deep");
        if (!out.empty()) out += '/';
        out += part;
    }
    return out;
}

bool keep_xattr(std::string_view name) {
    // user.overlay.* and trusted.* steer overlayfs and the host's own tools; security.selinux and the
    // like are policy of the host.
    if (name.starts_with("user.")) return !name.starts_with("user.overlay.");
    return name == "security.capability" || name == "system.posix_acl_access" ||
           name == "system.posix_acl_default";
}

Result<LayerEntry> translate_entry(archive_entry* entry, const UnpackLimits& limits) {
    const char* raw = archive_entry_pathname(entry);
    if (raw == nullptr) return Error::invalid("archive entry without a name");
    return translate(entry, raw, limits).under("archive entry \"" + std::string(raw).substr(0, 200) + "\"");
}

}  // namespace orlop::images
