// libarchive behind Result: tar archives entry by entry, and decompression of a plain stream.
#pragma once

#include <locale.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "images/stream.h"

struct archive;
struct archive_entry;

namespace orlop::images {

// Sets LC_CTYPE of this thread to "C" while it lives. libarchive converts PAX names from UTF-8 to the
// locale's charset and normalizes them on the way; where that is impossible it keeps the raw bytes, which is
// what a file system needs.
class CLocale {
  public:
    CLocale();
    CLocale(const CLocale&) = delete;
    CLocale& operator=(const CLocale&) = delete;
    ~CLocale();

  private:
    locale_t mine_;
    locale_t before_;
};

class ArchiveReader {
  public:
    enum class Format {
        Tar,  // ustar, PAX, GNU; not compressed
        Raw,  // one entry: the stream with gzip, bzip2, xz or zstd taken off, if there is any
    };
    struct Block {
        std::string_view bytes;
        uint64_t offset = 0;  // blocks of a sparse file leave gaps
    };

    // `from` must outlive the reader.
    static Result<std::unique_ptr<ArchiveReader>> open(ByteStream& from, Format format);

    // The next entry, owned by the reader and valid until the next call; nullptr at the end. What is left
    // of the entry before is skipped. One header may take at most 16 MiB of input: PAX headers and sparse
    // maps are kept in memory (CVE-2025-58183).
    Result<archive_entry*> next();
    // The next piece of the entry's data; nullopt at its end.
    Result<std::optional<Block>> block();
    // Whether a compression was taken off (after the first next()).
    bool compressed() const;

  private:
    struct Free {
        void operator()(archive* a) const;
    };
    explicit ArchiveReader(ByteStream& from) : from_(from), buffer_(65536) {}
    Error failure(int code) const;
    static ssize_t on_read(archive* a, void* self, const void** buffer);
    static int64_t on_skip(archive* a, void* self, int64_t count);

    ByteStream& from_;
    std::vector<char> buffer_;
    std::optional<Error> source_error_;
    uint64_t header_budget_ = 0;
    bool in_header_ = false;
    bool has_entry_ = false;
    std::unique_ptr<archive, Free> archive_;
};

// The data of a reader's current entry as a stream; the gaps of sparse files come as zeros.
class EntryStream final : public ByteStream {
  public:
    explicit EntryStream(ArchiveReader& reader, uint64_t size) : reader_(reader), size_(size) {}
    Result<size_t> read(char* to, size_t size) override;

  private:
    ArchiveReader& reader_;
    uint64_t size_;
    uint64_t position_ = 0;
    ArchiveReader::Block block_;
    bool ended_ = false;
};

// Takes gzip, bzip2, xz or zstd off; what is none of these passes unchanged. `from` must outlive it.
class Decompressor final : public ByteStream {
  public:
    static Result<std::unique_ptr<Decompressor>> open(ByteStream& from);
    Result<size_t> read(char* to, size_t size) override;
    bool compressed() const { return reader_->compressed(); }

  private:
    explicit Decompressor(std::unique_ptr<ArchiveReader> reader) : reader_(std::move(reader)) {}
    std::unique_ptr<ArchiveReader> reader_;
    std::string_view rest_;
    bool empty_ = false;
};

}  // namespace orlop::images
