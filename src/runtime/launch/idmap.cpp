#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/dir.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

std::string lines(const std::vector<IdMap>& maps) {
    std::string out;
    for (const IdMap& m : maps) {
        out +=
            std::to_string(m.inside) + " " + std::to_string(m.outside) + " " + std::to_string(m.size) + "\n";
    }
    return out;
}

// user_namespaces(7): a map is one write(2).
Status write_map(pid_t pid, const char* file, const std::vector<IdMap>& maps) {
    if (maps.empty()) return ok();
    const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    return write_all(fd.get(), lines(maps)).under("write " + path);
}

}  // namespace

Status map_ids(pid_t pid, const std::vector<IdMap>& uids, const std::vector<IdMap>& gids) {
    TRY(write_map(pid, "gid_map", gids));
    return write_map(pid, "uid_map", uids);
}

Result<UniqueFd> idle_user_namespace(const std::vector<IdMap>& uids, const std::vector<IdMap>& gids) {
    // A namespace is made with a process in it: one that waits to be killed.
    const long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0ul);
    if (pid == 0) {
        for (;;) pause();
    }
    if (pid < 0) return Error::sys("new user namespace");
    const auto child = static_cast<pid_t>(pid);
    const Status mapped = map_ids(child, uids, gids);
    UniqueFd fd(open(("/proc/" + std::to_string(child) + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
    const int open_errno = errno;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    TRY(Status(mapped));
    if (!fd) return Error::sys("open the new user namespace", open_errno);
    return fd;
}

}  // namespace orlop::launch
