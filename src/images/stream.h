// Bytes that are read once, front to back, and the checks that run along while they pass.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "images/digest.h"

namespace orlop::images {

class ByteStream {
  public:
    virtual ~ByteStream() = default;
    // 1..size bytes; 0 at the end.
    virtual Result<size_t> read(char* to, size_t size) = 0;
    // Passes over up to `count` bytes without reading them; how many it passed (0: read instead).
    virtual Result<uint64_t> skip(uint64_t count);
};

// A regular file from its beginning. It keeps its own position, so several may share one open file.
class FileStream final : public ByteStream {
  public:
    // Refuses what is not a regular file (a fifo would block for ever).
    static Result<std::unique_ptr<FileStream>> make(UniqueFd fd);
    Result<size_t> read(char* to, size_t size) override;
    Result<uint64_t> skip(uint64_t count) override;
    uint64_t size() const { return size_; }

  private:
    FileStream(UniqueFd fd, uint64_t size) : fd_(std::move(fd)), size_(size) {}
    UniqueFd fd_;
    uint64_t size_;
    uint64_t position_ = 0;
};

// What passes through another stream: its digest and length, with an upper limit (Exhausted beyond it).
class HashingStream final : public ByteStream {
  public:
    HashingStream(ByteStream& from, uint64_t limit, std::function<void(uint64_t)> on_bytes = {})
        : from_(from), limit_(limit), on_bytes_(std::move(on_bytes)) {}
    Result<size_t> read(char* to, size_t size) override;
    // Reads what is left: a digest covers every byte, also those behind the end a parser saw.
    Status drain();
    uint64_t bytes() const { return bytes_; }
    // Once, after drain().
    Digest digest() { return hash_.finish(); }

  private:
    ByteStream& from_;
    uint64_t limit_;
    std::function<void(uint64_t)> on_bytes_;
    uint64_t bytes_ = 0;
    Sha256 hash_;
};

}  // namespace orlop::images
