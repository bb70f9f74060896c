#include "cli/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace orlop::cli {

namespace {

Result<UniqueFd> open_log(const std::string& path) {
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    return fd;
}

// From the end in growing steps: a tail of a large log does not read all of it.
Result<off_t> find_tail(int fd, off_t size, int64_t lines) {
    for (off_t step = 64 << 10;; step *= 4) {
        const off_t start = std::max<off_t>(0, size - step);
        std::string text(static_cast<size_t>(size - start), '\0');
        const ssize_t n = pread(fd, text.data(), text.size(), start);
        if (n < 0) return Error::sys("read log");
        text.resize(static_cast<size_t>(n));
        const int64_t at = tail_offset(text, lines);
        if (at >= 0) return start + static_cast<off_t>(at);
        if (start == 0) return 0;
    }
}

}  // namespace

Result<UniqueFd> open_log_at_tail(const std::string& path, int64_t tail) {
    UniqueFd fd = TRY(open_log(path));
    if (tail < 0) return fd;
    struct stat st;
    if (fstat(fd.get(), &st) != 0) return Error::sys("stat " + path);
    const off_t at = TRY(find_tail(fd.get(), st.st_size, tail));
    if (lseek(fd.get(), at, SEEK_SET) < 0) return Error::sys("seek " + path);
    return fd;
}

Status LogReader::read_to_end() {
    std::string buffer(64 << 10, '\0');
    for (;;) {
        const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("read " + path_);
        if (n == 0) return ok();
        pending_.append(buffer, 0, static_cast<size_t>(n));
        std::string out;
        size_t start = 0;
        for (size_t end; (end = pending_.find('\n', start)) != std::string::npos; start = end + 1)
            out += joiner_.add(std::string_view(pending_).substr(start, end - start));
        pending_.erase(0, start);
        if (!out.empty()) sink_(out);
    }
}

Result<bool> LogReader::rotated() const {
    struct stat ours;
    struct stat named;
    if (fstat(fd_.get(), &ours) != 0) return Error::sys("stat log");
    if (stat(path_.c_str(), &named) != 0) {
        // Renamed, and the new one is not there yet.
        if (errno == ENOENT) return false;
        return Error::sys("stat " + path_);
    }
    return ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
}

Status LogReader::read_on() {
    TRY(read_to_end());
    while (TRY(rotated())) {
        // The writer may have gone on with the old file until it was told of the new one.
        TRY(read_to_end());
        fd_ = TRY(open_log(path_));
        TRY(read_to_end());
    }
    return ok();
}

void LogReader::finish() {
    std::string out = pending_.empty() ? "" : joiner_.add(pending_);
    pending_.clear();
    out += joiner_.rest();
    if (!out.empty()) sink_(out);
}

}  // namespace orlop::cli
