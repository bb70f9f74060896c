#include "netns/owned.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"

namespace orlop::netns {

namespace {

// Both namespaces are born with a process, which does nothing but wait to be killed: other threads may hold
// any lock of this address space's copy, so it makes two system calls and no other step.
pid_t start_holder() {
    const long pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNET, nullptr, nullptr, nullptr, 0ul);
    if (pid != 0) return static_cast<pid_t>(pid);
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;) syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
}

// user_namespaces(7): a map is one write(2).
Status write_map(pid_t pid, const char* file, const IdRange& m) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    return write_all(fd.get(), std::to_string(m.inside) + " " + std::to_string(m.outside) + " " +
                                   std::to_string(m.size) + "\n")
        .under("write " + path);
}

Status bind_network(pid_t pid, const std::string& path) {
    const std::string from = "/proc/" + std::to_string(pid) + "/ns/net";
    if (mount(from.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
        return Error::sys("bind mount on " + path);
    return ok();
}

}  // namespace

Status make_in_user_namespace(const IdRange& uids, const IdRange& gids, const std::string& path) {
    const pid_t pid = start_holder();
    if (pid < 0) return Error::sys("new user and network namespaces");
    Status made = write_map(pid, "gid_map", gids);
    if (made) made = write_map(pid, "uid_map", uids);
    if (made) made = bind_network(pid, path);
    kill(pid, SIGKILL);
    // Without an exit signal it is waited for as __WALL only: nobody else reaps it.
    while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
    return made;
}

}  // namespace orlop::netns
