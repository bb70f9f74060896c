#include "images/stream.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

namespace orlop::images {

Result<uint64_t> ByteStream::skip(uint64_t) {
    return uint64_t{0};
}

Result<std::unique_ptr<FileStream>> FileStream::make(UniqueFd fd) {
    struct stat st {};
    if (fstat(fd.get(), &st) != 0) return Error::sys("stat");
    if (!S_ISREG(st.st_mode)) return Error::invalid("not a regular file");
    return std::unique_ptr<FileStream>(new FileStream(std::move(fd), static_cast<uint64_t>(st.st_size)));
}

Result<size_t> FileStream::read(char* to, size_t size) {
    for (;;) {
        const ssize_t n = pread(fd_.get(), to, size, static_cast<off_t>(position_));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("read");
        position_ += static_cast<uint64_t>(n);
        return static_cast<size_t>(n);
    }
}

Result<uint64_t> FileStream::skip(uint64_t count) {
    const uint64_t passed = std::min(count, size_ - std::min(position_, size_));
    position_ += passed;
    return passed;
}

Result<size_t> HashingStream::read(char* to, size_t size) {
    const size_t n = TRY(from_.read(to, size));
    bytes_ += n;
    if (bytes_ > limit_) return Error(Kind::Exhausted, "more than " + std::to_string(limit_) + " bytes");
    hash_.update(to, n);
    if (n > 0 && on_bytes_) on_bytes_(bytes_);
    return n;
}

Status HashingStream::drain() {
    std::vector<char> buffer(65536);
    while (TRY(read(buffer.data(), buffer.size())) > 0) {
    }
    return ok();
}

}  // namespace orlop::images
