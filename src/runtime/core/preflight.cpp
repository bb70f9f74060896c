#include "runtime/core/preflight.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/dir.h"
#include "base/weak.h"

namespace orlop::core {

namespace {

Status lacks(const std::string& what, const std::string& since) {
    return Error::unimplemented("this kernel lacks " + what + " (Linux " + since +
                                "), or a seccomp filter hides it: use a newer kernel or lift the filter");
}

// Made by us or the administrator for us: nobody else may change what is in it.
Status make_ours(const std::string& path) {
    TRY(make_dirs(path, weakened("closed-directories") ? 0755 : 0700));
    struct stat st {};
    if (stat(path.c_str(), &st) != 0) return Error::sys("stat " + path);
    if (!S_ISDIR(st.st_mode)) return Error::invalid(path + " is not a directory: move it away");
    if (st.st_uid != 0 || (st.st_mode & 022u) != 0) {
        return Error::precondition(path +
                                   " must belong to root and be writable by nobody else: chown root:root " +
                                   path + " && chmod 0700 " + path);
    }
    return ok();
}

}  // namespace

Status check_root_user() {
    if (geteuid() == 0) return ok();
    return Error::precondition("orlop-runtime has to run as root: start it with sudo or as a system service");
}

Status check_kernel() {
    // fsopen(2) loads a filesystem's module when it has to; a list of loaded ones would not say what can be
    // had.
    const UniqueFd overlay(static_cast<int>(syscall(SYS_fsopen, "overlay", 1 /* FSOPEN_CLOEXEC */)));
    if (!overlay && errno == ENOSYS) return lacks("fsopen", "5.2");
    if (!overlay)
        return Error::unimplemented("the kernel has no overlayfs (" + Error::sys("fsopen").what() +
                                    "): install its module");
    // Calls that cannot succeed: only whether they exist is asked.
    if (syscall(SYS_openat2, -1, nullptr, nullptr, 0) != 0 && errno == ENOSYS) return lacks("openat2", "5.6");
    if (syscall(SYS_clone3, nullptr, 0) != 0 && errno == ENOSYS) return lacks("clone3", "5.5");
    UniqueFd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
    if (!self) return lacks("pidfd_open", "5.3");
    return ok();
}

Status prepare_directories(const Paths& paths) {
    for (const std::string& path : {paths.root, paths.state, paths.broken(), paths.staging(), paths.shims(),
                                    paths.volatile_sandboxes()}) {
        TRY(make_ours(path));
    }
    return ok();
}

Status claim_socket(const std::string& path) {
    TRY(make_dirs(path.substr(0, path.rfind('/')), 0755));
    struct stat st {};
    if (lstat(path.c_str(), &st) != 0) return errno == ENOENT ? ok() : Status(Error::sys("stat " + path));
    if (!S_ISSOCK(st.st_mode))
        return Error::invalid(path + " exists and is no socket: remove it or use --listen");
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return Error::sys("socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        return Error::unavailable("another process already serves " + path + ": stop it or use --listen");
    }
    if (errno != ECONNREFUSED) return Error::sys("connect " + path);
    if (unlink(path.c_str()) != 0) return Error::sys("remove stale socket " + path);
    return ok();
}

}  // namespace orlop::core
