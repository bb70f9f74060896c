#include "images/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstring>

namespace orlop::images {

namespace {

constexpr uint64_t kMaxHeader = 16u << 20;

}  // namespace

CLocale::CLocale() : mine_(newlocale(LC_CTYPE_MASK, "C", nullptr)), before_(uselocale(mine_)) {}

CLocale::~CLocale() {
    uselocale(before_);
    if (mine_ != nullptr) freelocale(mine_);
}

void ArchiveReader::Free::operator()(archive* a) const {
    archive_read_free(a);
}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(ByteStream& from, Format format) {
    std::unique_ptr<ArchiveReader> self(new ArchiveReader(from));
    self->archive_.reset(archive_read_new());
    archive* a = self->archive_.get();
    if (a == nullptr) return Error::sys("archive_read_new", ENOMEM);
    // Never "all": some of libarchive's filters start external programs.
    if (format == Format::Raw) {
        archive_read_support_filter_gzip(a);
        archive_read_support_filter_bzip2(a);
        archive_read_support_filter_xz(a);
        archive_read_support_filter_zstd(a);
        archive_read_support_format_raw(a);
    } else {
        archive_read_support_format_tar(a);
    }
    archive_read_support_format_empty(a);
    archive_read_set_read_callback(a, on_read);
    archive_read_set_skip_callback(a, on_skip);
    archive_read_set_callback_data(a, self.get());
    if (const int r = archive_read_open1(a); r < ARCHIVE_WARN) return self->failure(r);
    return self;
}

Error ArchiveReader::failure(int) const {
    if (source_error_) return *source_error_;
    const char* text = archive_error_string(archive_.get());
    return Error::invalid(text != nullptr ? text : "damaged archive");
}

ssize_t ArchiveReader::on_read(archive* a, void* data, const void** buffer) {
    auto* self = static_cast<ArchiveReader*>(data);
    *buffer = self->buffer_.data();
    auto n = self->from_.read(self->buffer_.data(), self->buffer_.size());
    if (n && self->in_header_ && *n > self->header_budget_)
        n = Error(Kind::Exhausted, "archive header of more than 16 MiB");
    if (!n) {
        self->source_error_ = n.error();
        archive_set_error(a, EIO, "%s", n.error().what().c_str());
        return -1;
    }
    if (self->in_header_) self->header_budget_ -= *n;
    return static_cast<ssize_t>(*n);
}

int64_t ArchiveReader::on_skip(archive*, void* data, int64_t count) {
    auto* self = static_cast<ArchiveReader*>(data);
    const auto n = self->from_.skip(static_cast<uint64_t>(std::max<int64_t>(count, 0)));
    if (!n) {
        self->source_error_ = n.error();
        return 0;
    }
    return static_cast<int64_t>(*n);
}

Result<archive_entry*> ArchiveReader::next() {
    const CLocale locale;
    if (has_entry_) {
        if (const int r = archive_read_data_skip(archive_.get()); r < ARCHIVE_WARN) return failure(r);
    }
    archive_entry* entry = nullptr;
    header_budget_ = kMaxHeader;
    in_header_ = true;
    const int r = archive_read_next_header(archive_.get(), &entry);
    in_header_ = false;
    has_entry_ = r >= ARCHIVE_WARN && r != ARCHIVE_EOF;
    if (r == ARCHIVE_EOF && !source_error_) return nullptr;
    if (r < ARCHIVE_WARN || source_error_) return failure(r);
    return entry;
}

Result<std::optional<ArchiveReader::Block>> ArchiveReader::block() {
    const void* bytes = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    const int r = archive_read_data_block(archive_.get(), &bytes, &size, &offset);
    if (r == ARCHIVE_EOF) return std::optional<Block>();
    if (r < ARCHIVE_WARN || offset < 0) return failure(r);
    return std::optional<Block>(
        Block{std::string_view(static_cast<const char*>(bytes), size), static_cast<uint64_t>(offset)});
}

bool ArchiveReader::compressed() const {
    // The last filter is always libarchive's "none".
    return archive_filter_count(archive_.get()) > 1;
}

Result<size_t> EntryStream::read(char* to, size_t size) {
    while (!ended_ && block_.bytes.empty()) {
        auto next = TRY(reader_.block());
        ended_ = !next;
        if (next) block_ = *next;
    }
    const uint64_t until = ended_ ? size_ : block_.offset;
    if (position_ < until) {
        const auto n = static_cast<size_t>(std::min<uint64_t>(size, until - position_));
        std::memset(to, 0, n);
        position_ += n;
        return n;
    }
    if (ended_) return size_t{0};
    const size_t n = std::min(size, block_.bytes.size());
    std::memcpy(to, block_.bytes.data(), n);
    block_.bytes.remove_prefix(n);
    block_.offset += n;
    position_ = block_.offset;
    return n;
}

Result<std::unique_ptr<Decompressor>> Decompressor::open(ByteStream& from) {
    auto reader = TRY(ArchiveReader::open(from, ArchiveReader::Format::Raw));
    archive_entry* entry = TRY(reader->next());
    std::unique_ptr<Decompressor> self(new Decompressor(std::move(reader)));
    self->empty_ = entry == nullptr;
    return self;
}

Result<size_t> Decompressor::read(char* to, size_t size) {
    while (rest_.empty() && !empty_) {
        const auto block = TRY(reader_->block());
        empty_ = !block;
        if (block) rest_ = block->bytes;
    }
    const size_t n = std::min(size, rest_.size());
    std::memcpy(to, rest_.data(), n);
    rest_.remove_prefix(n);
    return n;
}

}  // namespace orlop::images
