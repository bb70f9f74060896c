#include "images/source.h"

#include <archive_entry.h>

#include <array>
#include <map>

#include "images/archive.h"
#include "images/json_fields.h"
#include "images/layer_entry.h"

namespace orlop::images {

namespace {

constexpr size_t kMaxFiles = 100'000;
constexpr int kMaxLinks = 16;
constexpr uint64_t kMaxArchive = 1ull << 40;

class DirectorySource final : public Source {
  public:
    explicit DirectorySource(Dir dir) : dir_(std::move(dir)) {}

    bool has(const std::string& name) const override { return open_file(name).ok(); }

    Result<uint64_t> size(const std::string& name) const override { return TRY(open_file(name))->size(); }

    Result<std::unique_ptr<ByteStream>> open(const std::string& name) const override {
        return std::unique_ptr<ByteStream>(TRY(open_file(name)));
    }

  private:
    Result<std::unique_ptr<FileStream>> open_file(const std::string& name) const {
        // O_NONBLOCK: opening a fifo must not wait for a writer.
        UniqueFd fd = TRY(dir_.open_file(name, O_RDONLY | O_NONBLOCK, 0, Resolve::Beneath));
        return FileStream::make(std::move(fd)).under(name);
    }
    Dir dir_;
};

// The data of one entry, with the reader that stands at it.
class TarMember final : public ByteStream {
  public:
    static Result<std::unique_ptr<ByteStream>> open(UniqueFd fd, uint64_t ordinal, uint64_t size) {
        auto self = std::make_unique<TarMember>();
        self->file_ = TRY(FileStream::make(std::move(fd)));
        self->reader_ = TRY(ArchiveReader::open(*self->file_, ArchiveReader::Format::Tar));
        for (uint64_t at = 0; at <= ordinal; ++at) {
            if (TRY(self->reader_->next()) == nullptr)
                return Error::invalid("the archive changed while it was read");
        }
        self->data_ = std::make_unique<EntryStream>(*self->reader_, size);
        return std::unique_ptr<ByteStream>(std::move(self));
    }
    Result<size_t> read(char* to, size_t size) override { return data_->read(to, size); }

  private:
    std::unique_ptr<FileStream> file_;
    std::unique_ptr<ArchiveReader> reader_;
    std::unique_ptr<EntryStream> data_;
};

class TarSource final : public Source {
  public:
    explicit TarSource(UniqueFd fd) : fd_(std::move(fd)) {}

    Status index() {
        const auto file = TRY(FileStream::make(TRY(duplicate())));
        const auto reader = TRY(ArchiveReader::open(*file, ArchiveReader::Format::Tar));
        for (uint64_t ordinal = 0;; ++ordinal) {
            archive_entry* entry = TRY(reader->next());
            if (entry == nullptr) return ok();
            if (ordinal == kMaxFiles)
                return Error(Kind::Exhausted, "more than " + std::to_string(kMaxFiles) + " files");
            TRY(add(entry, ordinal));
        }
    }

    bool has(const std::string& name) const override { return find(name).ok(); }

    Result<uint64_t> size(const std::string& name) const override { return TRY(find(name))->size; }

    Result<std::unique_ptr<ByteStream>> open(const std::string& name) const override {
        const Member* member = TRY(find(name));
        return TarMember::open(TRY(duplicate()), member->ordinal, member->size).under(name);
    }

  private:
    struct Member {
        uint64_t ordinal = 0;
        uint64_t size = 0;
        std::string link;  // where it leads, if it is a link: a name in this archive
    };

    Result<UniqueFd> duplicate() const {
        UniqueFd fd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
        if (!fd) return Error::sys("duplicate the archive's fd");
        return fd;
    }

    Status add(archive_entry* entry, uint64_t ordinal) {
        const char* raw = archive_entry_pathname(entry);
        if (raw == nullptr) return Error::invalid("archive entry without a name");
        const auto name = clean_path(raw, {});
        if (!name) return Error(name.error()).under("archive entry \"" + std::string(raw) + "\"");
        Member member{ordinal, static_cast<uint64_t>(std::max<int64_t>(archive_entry_size(entry), 0)), ""};
        if (const char* target = archive_entry_hardlink(entry)) {
            member.link = TRY(clean_path(target, {}));
        } else if (archive_entry_filetype(entry) == AE_IFLNK) {
            member.link = TRY(resolve(*name, archive_entry_symlink(entry)));
        } else if (archive_entry_filetype(entry) != AE_IFREG) {
            return ok();
        }
        members_[*name] = std::move(member);
        return ok();
    }

    // docker save before 25 writes a layer that two images share once, the other is "../<id>/layer.tar".
    static Result<std::string> resolve(const std::string& name, const char* target) {
        std::string at = name.substr(0, name.rfind('/') == std::string::npos ? 0 : name.rfind('/'));
        std::string rest = target == nullptr ? "" : target;
        while (rest.starts_with("../")) {
            if (at.empty()) return Error::invalid("link \"" + name + "\" leads out of the archive");
            at.resize(at.rfind('/') == std::string::npos ? 0 : at.rfind('/'));
            rest.erase(0, 3);
        }
        return clean_path(at + "/" + rest, {}).under("link \"" + name + "\"");
    }

    Result<const Member*> find(const std::string& name) const {
        std::string at = TRY(clean_path(name, {}));
        for (int links = 0; links < kMaxLinks; ++links) {
            const auto it = members_.find(at);
            if (it == members_.end()) return Error::not_found("the archive has no \"" + at + "\"");
            if (it->second.link.empty()) return &it->second;
            at = it->second.link;
        }
        return Error::invalid("too many links at \"" + name + "\"");
    }

    UniqueFd fd_;
    std::map<std::string, Member> members_;
};

// A seekable, uncompressed archive: the file itself or a copy.
Result<UniqueFd> plain_archive(UniqueFd fd, const Dir& scratch) {
    UniqueFd again(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!again) return Error::sys("duplicate the archive's fd");
    const auto file = TRY(FileStream::make(std::move(again)));
    const auto plain = TRY(Decompressor::open(*file));
    if (!plain->compressed()) return fd;
    const std::string name = "archive.tar";
    UniqueFd out = TRY(scratch.open_file(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    // Only the fd needs it: nothing is left behind however this ends.
    TRY(scratch.unlink(name));
    std::array<char, 65536> buffer{};
    for (uint64_t total = 0;;) {
        const size_t n = TRY(plain->read(buffer.data(), buffer.size()));
        if (n == 0) return out;
        total += n;
        if (total > kMaxArchive) return Error(Kind::Exhausted, "archive of more than 1 TiB");
        TRY(write_all(out.get(), std::string_view(buffer.data(), n)));
    }
}

}  // namespace

Result<std::string> read_document(const Source& source, const std::string& name) {
    if (TRY(source.size(name)) > kMaxDocument)
        return Error(Kind::Exhausted, "\"" + name + "\" is larger than 4 MiB");
    const auto stream = TRY(source.open(name));
    std::string out;
    std::array<char, 16384> buffer{};
    for (;;) {
        const size_t n = TRY(stream->read(buffer.data(), buffer.size()).under(name));
        if (n == 0) return out;
        if (out.size() + n > kMaxDocument)
            return Error(Kind::Exhausted, "\"" + name + "\" is larger than 4 MiB");
        out.append(buffer.data(), n);
    }
}

Result<std::unique_ptr<Source>> open_source(const std::string& path, const Dir& scratch) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    struct stat st {};
    if (fstat(fd.get(), &st) != 0) return Error::sys("stat " + path);
    if (S_ISDIR(st.st_mode))
        return std::unique_ptr<Source>(std::make_unique<DirectorySource>(Dir::adopt(std::move(fd), path)));
    auto source = std::make_unique<TarSource>(TRY(plain_archive(std::move(fd), scratch)));
    TRY(source->index());
    return std::unique_ptr<Source>(std::move(source));
}

}  // namespace orlop::images
