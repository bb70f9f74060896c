#include "runtime/launch/self.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "base/weak.h"

extern char** environ;

namespace orlop::launch {

namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool is_protected(int exe) {
    struct statvfs fs {};
    if (fstatvfs(exe, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0) return true;
    const int seals = fcntl(exe, F_GET_SEALS);
    return seals >= 0 && (seals & kSeals) == kSeals;
}

Result<UniqueFd> readonly_mount() {
    UniqueFd tree(static_cast<int>(
        syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    if (!tree) return Error::sys("open_tree of the own binary");
    mount_attr attr{
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    if (syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) != 0)
        return Error::sys("mount_setattr of the own binary");
    return tree;
}

Result<UniqueFd> sealed_copy(int exe) {
    UniqueFd copy(memfd_create("orlop", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!copy) return Error::sys("memfd_create");
    struct stat st {};
    if (fstat(exe, &st) != 0) return Error::sys("stat the own binary");
    for (off_t done = 0; done < st.st_size;) {
        const ssize_t n = sendfile(copy.get(), exe, nullptr, static_cast<size_t>(st.st_size - done));
        if (n <= 0) return Error::sys("copy the own binary");
        done += n;
    }
    if (fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0) return Error::sys("seal the own binary");
    return copy;
}

}  // namespace

Status protect_own_binary(char** argv) {
    if (weakened("own-binary")) return ok();
    UniqueFd exe(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    if (!exe) return Error::sys("open /proc/self/exe");
    if (is_protected(exe.get())) return ok();
    auto safe = readonly_mount();
    UniqueFd program = safe ? *std::move(safe) : TRY(sealed_copy(exe.get()));
    syscall(SYS_execveat, program.get(), "", argv, environ, AT_EMPTY_PATH);
    return Error::sys("execute the protected own binary");
}

}  // namespace orlop::launch
