#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/launch/process.h"

namespace orlop::launch {

namespace {

// close_range(2) is missing: by the list that the kernel keeps, read through the host's procfs.
Status close_listed(uint32_t first, const std::vector<int>& keep, int own_fds) {
    UniqueFd dir(openat(own_fds, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir) return Error::sys("open /proc/self/fd");
    std::vector<int> found;
    alignas(8) std::array<char, 4096> buffer;
    for (;;) {
        const long n = syscall(SYS_getdents64, dir.get(), buffer.data(), buffer.size());
        if (n < 0) return Error::sys("read /proc/self/fd");
        if (n == 0) break;
        for (long at = 0; at < n;) {
            // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name.
            const char* entry = buffer.data() + at;
            uint16_t size = 0;
            std::copy_n(entry + 16, sizeof size, reinterpret_cast<char*>(&size));
            const std::string_view name = entry + 19;
            int fd = -1;
            std::from_chars(name.data(), name.data() + name.size(), fd);
            if (fd >= static_cast<int>(first) && fd != dir.get()) found.push_back(fd);
            at += size;
        }
    }
    for (const int fd : found) {
        if (std::find(keep.begin(), keep.end(), fd) == keep.end()) close(fd);
    }
    return ok();
}

}  // namespace

Status close_others(uint32_t preserved, std::vector<int> keep, int own_fds) {
    const uint32_t first = 3 + preserved;
    for (uint32_t fd = 3; fd < first; ++fd) {
        const int flags = fcntl(static_cast<int>(fd), F_GETFD);
        if (flags < 0)
            return Error::invalid("descriptor " + std::to_string(fd) + " to be preserved is not open");
        if (fcntl(static_cast<int>(fd), F_SETFD, flags & ~FD_CLOEXEC) != 0)
            return Error::sys("keep a descriptor");
    }
    std::sort(keep.begin(), keep.end());
    uint32_t from = first;
    for (const int fd : keep) {
        if (fd < static_cast<int>(from)) continue;
        const auto end = static_cast<uint32_t>(fd);
        if (end > from && syscall(SYS_close_range, from, end - 1, 0u) != 0) {
            if (errno == ENOSYS) return close_listed(first, keep, own_fds);
            return Error::sys("close_range");
        }
        from = end + 1;
    }
    if (syscall(SYS_close_range, from, ~0u, 0u) != 0) {
        if (errno == ENOSYS) return close_listed(first, keep, own_fds);
        return Error::sys("close_range");
    }
    return ok();
}

}  // namespace orlop::launch
