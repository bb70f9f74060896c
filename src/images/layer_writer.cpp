#include "images/layer_writer.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/weak.h"
#include "images/attributes.h"

namespace orlop::images {

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<std::optional<struct stat>> stat_at(int parent, const std::string& name) {
    struct stat st {};
    if (fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return std::optional(st);
    if (errno == ENOENT) return std::optional<struct stat>();
    return Error::sys("stat " + name);
}

bool is_whiteout(const struct stat& st) {
    return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

Status set_opaque(int fd) {
    if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) != 0) return Error::sys("set opaque");
    return ok();
}

// A directory where this layer has a whiteout of the same name hides the one below: that is "opaque".
Result<UniqueFd> make_directory(int parent, const std::string& name, bool replaces_whiteout) {
    if (mkdirat(parent, name.c_str(), 0700) != 0) return Error::sys("mkdir " + name);
    UniqueFd fd(openat(parent, name.c_str(), kOpenDirectory));
    if (!fd) return Error::sys("open " + name);
    if (replaces_whiteout) TRY(set_opaque(fd.get()));
    return fd;
}

// Makes room for a new entry; whether a whiteout was there.
Result<bool> clear_place(int parent, const std::string& name) {
    const auto st = TRY(stat_at(parent, name));
    if (!st) return false;
    if (!S_ISDIR(st->st_mode)) {
        if (unlinkat(parent, name.c_str(), 0) != 0) return Error::sys("unlink " + name);
        return is_whiteout(*st);
    }
    UniqueFd own(openat(parent, ".", kOpenDirectory));
    if (!own) return Error::sys("open parent of " + name);
    TRY(Dir::adopt(std::move(own), ".").remove_tree(name));
    return false;
}

// Long runs of zeros become holes, whether the tar had them as such or not.
Status write_data(int fd, uint64_t size, ArchiveReader& data) {
    while (auto block = TRY(data.block())) {
        uint64_t offset = block->offset;
        std::string_view rest = block->bytes;
        if (rest.size() > size || offset > size - rest.size())
            return Error::invalid("more data than its header says");
        if (rest.size() >= 4096 && rest.find_first_not_of('\0') == std::string_view::npos) continue;
        while (!rest.empty()) {
            const ssize_t n = pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return Error::sys("write");
            rest.remove_prefix(static_cast<size_t>(n));
            offset += static_cast<uint64_t>(n);
        }
    }
    if (ftruncate(fd, static_cast<off_t>(size)) != 0) return Error::sys("truncate");
    return ok();
}

Result<std::optional<Attributes>> attributes_below(const std::vector<std::string>& lowers,
                                                   const std::string& path) {
    for (const std::string& lower : lowers) {
        const Dir dir = TRY(Dir::open(lower));
        const auto found = open_under(dir.fd(), path, O_RDONLY | O_DIRECTORY, Resolve::NoSymlinks);
        if (!found && found.error().errnum() == ENOENT) continue;
        // Anything else there (a whiteout, a file, a link) hides what is further below.
        if (!found) break;
        return std::optional(TRY(get_attributes(found->get())));
    }
    return std::optional<Attributes>();
}

Attributes attributes_of(const LayerEntry& entry) {
    return {entry.mode, entry.uid, entry.gid, entry.mtime, entry.xattrs};
}

}  // namespace

Result<UniqueFd> LayerWriter::open_parent(const std::string& path) {
    if (path.empty() || weakened("unpack-in-root")) {
        UniqueFd fd(openat(root_.fd(), path.empty() ? "." : path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!fd) return Error::sys("open layer root");
        return fd;
    }
    auto all = open_under(root_.fd(), path, O_PATH | O_DIRECTORY, Resolve::NoSymlinks);
    if (all) return all;
    UniqueFd at = TRY(open_parent(""));
    for (size_t from = 0; from <= path.size();) {
        const size_t end = std::min(path.find('/', from), path.size());
        const std::string name = path.substr(from, end - from);
        const auto st = TRY(stat_at(at.get(), name));
        if (st && S_ISLNK(st->st_mode))
            return Error::invalid("\"" + path.substr(0, end) + "\" on the way is a symbolic link");
        if (st && !S_ISDIR(st->st_mode) && !is_whiteout(*st))
            return Error::invalid("\"" + path.substr(0, end) + "\" on the way is not a directory");
        if (st && S_ISDIR(st->st_mode)) {
            at = TRY(open_under(at.get(), name, O_PATH | O_DIRECTORY, Resolve::NoSymlinks));
        } else {
            at = TRY(imply_directory(at.get(), name, path.substr(0, end)));
        }
        from = end + 1;
    }
    return at;
}

Result<UniqueFd> LayerWriter::imply_directory(int parent, const std::string& name, const std::string& path) {
    const bool hidden = TRY(clear_place(parent, name));
    UniqueFd fd = TRY(make_directory(parent, name, hidden));
    implied_parents_ = true;
    if (!hidden) {
        TRY(copy_from_lower(fd.get(), path));
    } else {
        TRY(set_attributes(fd.get(), Attributes{0755, 0, 0, {}, {}}));
        directory_times_[path] = {};
        from_below_.erase(path);
    }
    return fd;
}

Status LayerWriter::copy_from_lower(int fd, const std::string& path) {
    const Attributes attributes =
        TRY(attributes_below(lowers_, path)).value_or(Attributes{0755, 0, 0, {}, {}});
    from_below_.insert(path);
    TRY(set_attributes(fd, attributes));
    directory_times_[path] = attributes.mtime;
    return ok();
}

Result<LayerWriter::Place> LayerWriter::place_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return Place{TRY(open_parent("")), path};
    return Place{TRY(open_parent(path.substr(0, slash))), path.substr(slash + 1)};
}

Status LayerWriter::apply(const LayerEntry& entry, ArchiveReader& data) {
    return dispatch(entry, data).under("\"" + entry.path.substr(0, 200) + "\"");
}

Status LayerWriter::dispatch(const LayerEntry& entry, ArchiveReader& data) {
    switch (entry.kind) {
        case EntryKind::Directory:
            return apply_directory(entry);
        case EntryKind::Whiteout:
            return apply_whiteout(entry);
        case EntryKind::Opaque:
            return apply_opaque(entry);
        case EntryKind::File:
            return apply_file(entry, data);
        case EntryKind::HardLink:
            return apply_hard_link(entry);
        case EntryKind::Ignored:
            return ok();
        default:
            return apply_node(entry);
    }
}

Status LayerWriter::apply_directory(const LayerEntry& entry) {
    directory_times_[entry.path] = entry.mtime;
    from_below_.erase(entry.path);
    if (entry.path.empty()) return set_attributes(root_.fd(), attributes_of(entry));
    const Place place = TRY(place_of(entry.path));
    const auto st = TRY(stat_at(place.parent.get(), place.name));
    UniqueFd fd;
    if (st && S_ISDIR(st->st_mode)) {
        fd.reset(openat(place.parent.get(), place.name.c_str(), kOpenDirectory));
        if (!fd) return Error::sys("open");
    } else {
        const bool hidden = TRY(clear_place(place.parent.get(), place.name));
        fd = TRY(make_directory(place.parent.get(), place.name, hidden));
    }
    return set_attributes(fd.get(), attributes_of(entry));
}

// Whiteouts hide only what is below this layer, in whatever order the tar has them.
Status LayerWriter::apply_whiteout(const LayerEntry& entry) {
    const Place place = TRY(place_of(entry.path));
    const auto st = TRY(stat_at(place.parent.get(), place.name));
    if (st && S_ISDIR(st->st_mode)) {
        const UniqueFd fd(openat(place.parent.get(), place.name.c_str(), kOpenDirectory));
        if (!fd) return Error::sys("open");
        return set_opaque(fd.get());
    }
    if (st) return ok();
    if (mknodat(place.parent.get(), place.name.c_str(), S_IFCHR, makedev(0, 0)) != 0)
        return Error::sys("make whiteout");
    return ok();
}

Status LayerWriter::apply_opaque(const LayerEntry& entry) {
    if (entry.path.empty()) {
        root_opaque_ = true;
        return ok();
    }
    const Place place = TRY(place_of(entry.path + "/x"));
    const UniqueFd fd(openat(place.parent.get(), ".", kOpenDirectory));
    if (!fd) return Error::sys("open");
    return set_opaque(fd.get());
}

Status LayerWriter::apply_file(const LayerEntry& entry, ArchiveReader& data) {
    const Place place = TRY(place_of(entry.path));
    TRY(clear_place(place.parent.get(), place.name));
    const UniqueFd fd(openat(place.parent.get(), place.name.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return Error::sys("create");
    TRY(write_data(fd.get(), entry.size, data));
    TRY(set_attributes(fd.get(), attributes_of(entry)));
    return set_times(fd.get(), entry.mtime);
}

Status LayerWriter::apply_hard_link(const LayerEntry& entry) {
    const size_t slash = entry.link.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : entry.link.substr(0, slash);
    const std::string name = slash == std::string::npos ? entry.link : entry.link.substr(slash + 1);
    auto from = weakened("unpack-in-root")
                    ? open_parent(parent)
                    : open_under(root_.fd(), parent, O_PATH | O_DIRECTORY, Resolve::NoSymlinks);
    if (!from) return Error::invalid("hard link to \"" + entry.link + "\", which is not in this layer");
    const auto target = TRY(stat_at(from->get(), name));
    if (!target || S_ISDIR(target->st_mode))
        return Error::invalid("hard link to \"" + entry.link + "\", which is not a file in this layer");
    const Place place = TRY(place_of(entry.path));
    TRY(clear_place(place.parent.get(), place.name));
    if (linkat(from->get(), name.c_str(), place.parent.get(), place.name.c_str(), 0) != 0)
        return Error::sys("link to \"" + entry.link + "\"");
    // The mode is the file's, and the link may be to a symbolic one.
    if (weakened("link-mode")) (void)fchmodat(place.parent.get(), place.name.c_str(), entry.mode, 0);
    return ok();
}

Status LayerWriter::apply_node(const LayerEntry& entry) {
    const Place place = TRY(place_of(entry.path));
    TRY(clear_place(place.parent.get(), place.name));
    const int parent = place.parent.get();
    int r = 0;
    if (entry.kind == EntryKind::Symlink) {
        r = symlinkat(entry.link.c_str(), parent, place.name.c_str());
    } else {
        const mode_t type = entry.kind == EntryKind::Fifo         ? S_IFIFO
                            : entry.kind == EntryKind::CharDevice ? S_IFCHR
                                                                  : S_IFBLK;
        r = mknodat(parent, place.name.c_str(), type | 0600, entry.device);
    }
    if (r != 0) return Error::sys("create");
    return set_attributes_at(parent, place.name, attributes_of(entry), entry.kind == EntryKind::Symlink);
}

Status LayerWriter::finish() {
    for (const auto& [path, time] : directory_times_) {
        const auto fd =
            open_under(root_.fd(), path.empty() ? "." : path, O_RDONLY | O_DIRECTORY, Resolve::NoSymlinks);
        // A later entry replaced it by something else.
        if (!fd) continue;
        TRY(set_times(fd->get(), time).under(path));
    }
    return ok();
}

Status adopt_parents(const Dir& layer, const std::vector<std::string>& lowers,
                     const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        const auto fd = open_under(layer.fd(), path, O_RDONLY | O_DIRECTORY, Resolve::NoSymlinks);
        // A later entry replaced it by something else.
        if (!fd) continue;
        const auto attributes = TRY(attributes_below(lowers, path).under(path));
        if (!attributes) continue;
        TRY(set_attributes(fd->get(), *attributes).under(path));
        TRY(set_times(fd->get(), attributes->mtime).under(path));
    }
    return ok();
}

}  // namespace orlop::images
