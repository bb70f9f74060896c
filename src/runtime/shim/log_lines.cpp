#include "runtime/shim/log_lines.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/weak.h"

namespace orlop::shim {

namespace {

constexpr int kAppend = O_WRONLY | O_APPEND | O_CREAT;

Result<UniqueFd> open_log(const std::string& path, const std::string& directory) {
    const size_t end = directory.find_last_not_of('/') + 1;
    if (path.starts_with(directory.substr(0, end) + "/") && !directory.empty() && !weakened("log-links")) {
        const Dir dir = TRY(Dir::open(directory).under("open log " + path));
        const std::string name = path.substr(path.find_first_not_of('/', end));
        return dir.open_file(name, kAppend, 0640, Resolve::NoSymlinks).under("open log");
    }
    UniqueFd fd(::open(path.c_str(), kAppend | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!fd) return Error::sys("open log " + path);
    return fd;
}

}  // namespace

void LineCutter::record(char tag, std::string_view content, Nanos now, std::string& out) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (second != second_) {
        second_ = second;
        stamp_ = rfc3339_nano(second).substr(0, 20);
    }
    char nanos[10];
    auto rest = static_cast<uint64_t>((now - second).count());
    for (int i = 8; i >= 0; --i, rest /= 10) nanos[i] = static_cast<char>('0' + rest % 10);
    nanos[9] = 'Z';
    out.append(stamp_).append(nanos, sizeof nanos).append(" ").append(stream_);
    out.append(1, ' ').append(1, tag).append(1, ' ').append(content).append(1, '\n');
}

void LineCutter::feed(std::string_view data, Nanos now, std::string& out) {
    while (!data.empty()) {
        const size_t newline = data.find('\n');
        const bool whole = newline != std::string_view::npos;
        std::string_view part = data.substr(0, newline);
        data.remove_prefix(whole ? newline + 1 : data.size());
        while (pending_.size() + part.size() > kMaxLogLine) {
            const size_t take = kMaxLogLine - pending_.size();
            pending_.append(part.substr(0, take));
            part.remove_prefix(take);
            record('P', pending_, now, out);
            pending_.clear();
        }
        if (!whole) {
            pending_.append(part);
        } else if (pending_.empty()) {
            record('F', part, now, out);
        } else {
            pending_.append(part);
            record('F', pending_, now, out);
            pending_.clear();
        }
    }
}

void LineCutter::flush(Nanos now, std::string& out) {
    if (!pending_.empty()) record('P', pending_, now, out);
    pending_ = std::string();
}

Result<LogFile> LogFile::open(const std::string& path, const std::string& directory) {
    LogFile log;
    log.path_ = path;
    log.directory_ = directory;
    if (!path.empty()) log.fd_ = TRY(open_log(path, directory));
    return log;
}

Status LogFile::reopen() {
    if (path_.empty()) return Error::precondition("the container has no log");
    fd_ = TRY(open_log(path_, directory_));
    return ok();
}

Status LogFile::append(std::string_view records) {
    if (!fd_) return ok();
    struct stat before {};
    if (fstat(fd_.get(), &before) != 0) return Error::sys("stat log " + path_);
    while (!records.empty()) {
        const ssize_t n = ::write(fd_.get(), records.data(), records.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int e = errno;
            // A torn record would swallow the next one.
            if (ftruncate(fd_.get(), before.st_size) != 0) return Error::sys("truncate log " + path_);
            return Error::sys("write log " + path_, e);
        }
        records.remove_prefix(static_cast<size_t>(n));
    }
    return ok();
}

}  // namespace orlop::shim
