#include "images/tree_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "images/archive.h"
#include "images/attributes.h"
#include "images/layer_entry.h"

namespace orlop::images {

struct TreeStream::Node {
    std::string path, name;
    struct statx st {};
    std::string link;       // of a symbolic link
    std::string hard_link;  // the name it had first
    bool mount = false;

    bool is(mode_t type) const { return (st.stx_mode & S_IFMT) == type; }
    uint64_t device() const { return makedev(st.stx_dev_major, st.stx_dev_minor); }
};

namespace {

struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

Result<struct statx> stat_node(int dir, const std::string& name, int flags) {
    struct statx st {};
    // The mount id tells bind mounts of the same file system apart, which st_dev does not.
    if (statx(dir, name.c_str(), flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, &st) != 0)
        return Error::sys("stat " + name);
    return st;
}

Result<std::string> read_link(int dir, const std::string& name) {
    std::array<char, 4096> target{};
    const ssize_t n = readlinkat(dir, name.c_str(), target.data(), target.size());
    if (n < 0) return Error::sys("read link " + name);
    return std::string(target.data(), static_cast<size_t>(n));
}

}  // namespace

void TreeStream::Free::operator()(archive* a) const {
    archive_write_free(a);
}

Error TreeStream::failure(const std::string& what) const {
    const char* text = archive_error_string(archive_.get());
    return Error::failed(what + ": " + (text != nullptr ? text : "cannot write tar"));
}

ssize_t TreeStream::on_write(archive*, void* self, const void* bytes, size_t size) {
    static_cast<TreeStream*>(self)->out_.append(static_cast<const char*>(bytes), size);
    return static_cast<ssize_t>(size);
}

Result<std::unique_ptr<TreeStream>> TreeStream::open(const std::string& path) {
    std::unique_ptr<TreeStream> self(new TreeStream());
    self->archive_.reset(archive_write_new());
    archive* a = self->archive_.get();
    if (a == nullptr) return Error::sys("archive_write_new", ENOMEM);
    archive_write_set_format_pax(a);
    archive_write_set_bytes_per_block(a, 0);
    if (archive_write_set_options(a, "hdrcharset=BINARY,xattrheader=SCHILY") != ARCHIVE_OK ||
        archive_write_open(a, self.get(), nullptr, on_write, nullptr) != ARCHIVE_OK)
        return self->failure("start tar");
    Dir dir = TRY(Dir::open(path));
    Node root;
    root.path = "./";
    root.st = TRY(stat_node(dir.fd(), "", AT_EMPTY_PATH));
    self->mount_ = root.st.stx_mnt_id;
    TRY(self->write_header(root, dir.fd()));
    TRY(self->enter(std::move(dir), "./"));
    return self;
}

Result<size_t> TreeStream::read(char* to, size_t size) {
    if (taken_ == out_.size()) {
        out_.clear();
        taken_ = 0;
    }
    while (out_.empty() && !closed_) TRY(advance());
    const size_t n = std::min(size, out_.size() - taken_);
    std::memcpy(to, out_.data() + taken_, n);
    taken_ += n;
    return n;
}

Status TreeStream::advance() {
    if (file_) return copy_data();
    if (stack_.empty()) {
        closed_ = true;
        if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure("end tar");
        return ok();
    }
    if (stack_.back().next == stack_.back().names.size()) {
        stack_.pop_back();
        return ok();
    }
    return visit();
}

Status TreeStream::enter(Dir dir, const std::string& path) {
    if (stack_.size() > UnpackLimits().depth)
        return Error(Kind::Exhausted, "directories nested too deep at " + path);
    auto names = TRY(dir.list());
    stack_.push_back({std::move(dir), path, std::move(names), 0});
    return ok();
}

Status TreeStream::visit() {
    Frame& frame = stack_.back();
    Node node;
    node.name = frame.names[frame.next++];
    node.path = frame.path + node.name;
    auto st = stat_node(frame.dir.fd(), node.name, AT_SYMLINK_NOFOLLOW);
    if (!st && st.error().kind() == Kind::NotFound) return ok();  // gone meanwhile
    node.st = TRY(std::move(st).under(frame.dir.path()));
    node.mount = node.st.stx_mnt_id != mount_;
    if (node.name.starts_with(".wh.") ||
        (node.is(S_IFCHR) && node.st.stx_rdev_major == 0 && node.st.stx_rdev_minor == 0))
        return Error::invalid(node.path + " is a whiteout: this is a layer, not a whole root filesystem");
    if (node.is(S_IFSOCK)) return ok();
    return node.is(S_IFDIR) ? add_directory(frame, node) : add_other(frame, node);
}

Status TreeStream::add_directory(const Frame& above, const Node& node) {
    Dir dir = TRY(above.dir.open_dir(node.name, Resolve::NoSymlinks));
    Node named = node;
    named.path += "/";
    TRY(write_header(named, dir.fd()));
    if (node.mount) return ok();
    return enter(std::move(dir), named.path);
}

Status TreeStream::add_other(const Frame& above, const Node& node) {
    Node out = node;
    if (node.st.stx_nlink > 1 && !node.mount) {
        const auto [it, first] = linked_.try_emplace({node.device(), node.st.stx_ino}, node.path);
        if (!first) {
            out.hard_link = it->second;
            return write_header(out, -1);
        }
    }
    if (node.is(S_IFLNK)) out.link = TRY(read_link(above.dir.fd(), node.name));
    if (!node.is(S_IFREG)) return write_header(out, -1);
    if (node.mount) {
        out.st.stx_size = 0;
        return write_header(out, -1);
    }
    UniqueFd fd = TRY(above.dir.open_file(node.name, O_RDONLY | O_NONBLOCK, 0, Resolve::NoSymlinks));
    const auto now = TRY(stat_node(fd.get(), "", AT_EMPTY_PATH));
    if (now.stx_ino != node.st.stx_ino)
        return Error::precondition(node.path + " was replaced while it was read");
    out.st = now;
    TRY(write_header(out, fd.get()));
    if (now.stx_size == 0) return ok();
    file_ = std::move(fd);
    file_path_ = node.path;
    file_left_ = now.stx_size;
    return ok();
}

Status TreeStream::write_header(const Node& node, int fd) {
    const CLocale locale;
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry* e = entry.get();
    archive_entry_copy_pathname(e, node.path.c_str());
    archive_entry_set_mode(e, node.st.stx_mode);
    archive_entry_set_uid(e, node.st.stx_uid);
    archive_entry_set_gid(e, node.st.stx_gid);
    archive_entry_set_mtime(e, node.st.stx_mtime.tv_sec, static_cast<long>(node.st.stx_mtime.tv_nsec));
    archive_entry_set_size(
        e, node.is(S_IFREG) && node.hard_link.empty() ? static_cast<int64_t>(node.st.stx_size) : 0);
    if (!node.hard_link.empty()) archive_entry_copy_hardlink(e, node.hard_link.c_str());
    if (node.is(S_IFLNK) && node.hard_link.empty()) archive_entry_copy_symlink(e, node.link.c_str());
    if (node.is(S_IFCHR) || node.is(S_IFBLK)) {
        archive_entry_set_rdevmajor(e, node.st.stx_rdev_major);
        archive_entry_set_rdevminor(e, node.st.stx_rdev_minor);
    }
    if (fd >= 0) {
        auto xattrs = TRY(get_xattrs(fd).under(node.path));
        std::sort(xattrs.begin(), xattrs.end());
        for (const auto& [name, value] : xattrs)
            archive_entry_xattr_add_entry(e, name.c_str(), value.data(), value.size());
    }
    if (archive_write_header(archive_.get(), e) < ARCHIVE_WARN) return failure(node.path);
    return ok();
}

Status TreeStream::copy_data() {
    std::array<char, 65536> buffer{};
    const auto want = static_cast<size_t>(std::min<uint64_t>(file_left_, buffer.size()));
    const ssize_t n = ::read(file_.get(), buffer.data(), want);
    if (n < 0 && errno == EINTR) return ok();
    if (n < 0) return Error::sys("read " + file_path_);
    if (n == 0) return Error::precondition(file_path_ + " became shorter while it was read");
    if (archive_write_data(archive_.get(), buffer.data(), static_cast<size_t>(n)) != n)
        return failure(file_path_);
    file_left_ -= static_cast<uint64_t>(n);
    if (file_left_ == 0) file_.reset();
    return ok();
}

}  // namespace orlop::images
