#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/weak.h"
#include "runtime/launch/process.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {

namespace {

// A process that is not root may open /dev/stdout again: its pipes are its own. What has another owner's user
// namespace, or a read-only filesystem, stays as it is.
Status give(int fd, uint32_t uid) {
    struct stat st {};
    if (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode) || st.st_uid == uid) return ok();
    if (fchown(fd, uid, st.st_gid) != 0 && errno != EPERM && errno != EINVAL && errno != EROFS)
        return Error::sys("chown stdio");
    return ok();
}

// The slave is had from the master itself (TIOCGPTPEER), not by a path that could be a trap (CVE-2025-52565).
Result<UniqueFd> other_side(int master) {
    UniqueFd slave(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!slave) return Error::sys("open the terminal's other side");
    return slave;
}

// The terminal that is bound over /dev/console.
Result<MountApi::Pending> console_of(const MountApi& mounts, int master, int slave) {
    unsigned number = 0;
    if (weakened("console-source") && ioctl(master, TIOCGPTN, &number) == 0)
        return mounts.clone_tree(AT_FDCWD, "/dev/pts/" + std::to_string(number), false);
    return mounts.clone_tree(slave, "", false);
}

}  // namespace

// None of them among 0..2 by accident, so that dup2 cannot clobber a later one.
Status connect_stdio(const Stdio& io, uint32_t uid) {
    if (io.in == 0 && io.out == 1 && io.err == 2) {
        for (int fd = 0; fd < 3; ++fd) TRY(give(fd, uid));
        return ok();
    }
    UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return Error::sys("open /dev/null");
    int from[3] = {io.in, io.out, io.err};
    for (int i = 0; i < 3; ++i) {
        if (from[i] < 0) from[i] = null.get();
        const int moved = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
        if (moved < 0) return Error::sys("dup");
        from[i] = moved;
    }
    for (int i = 0; i < 3; ++i) {
        if (dup2(from[i], i) < 0) return Error::sys("dup2");
        close(from[i]);
        TRY(give(i, uid));
    }
    return ok();
}

Status connect_terminal(const Process& process, uint32_t uid, const MountApi* mounts, Channel& channel) {
    UniqueFd master(open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master) return Error::sys("open /dev/pts/ptmx");
    int unlock = 0;
    if (ioctl(master.get(), TIOCSPTLCK, &unlock) != 0) return Error::sys("unlock the terminal");
    UniqueFd slave = TRY(other_side(master.get()));
    if (process.console_size) {
        const winsize size{.ws_row = process.console_size->first,
                           .ws_col = process.console_size->second,
                           .ws_xpixel = 0,
                           .ws_ypixel = 0};
        if (ioctl(slave.get(), TIOCSWINSZ, &size) != 0) return Error::sys("set the terminal's size");
    }
    if (fchown(slave.get(), uid, static_cast<gid_t>(-1)) != 0) return Error::sys("chown the terminal");
    if (mounts != nullptr) {
        UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!root) return Error::sys("open /");
        auto tree = TRY(console_of(*mounts, master.get(), slave.get()));
        const Spot target = TRY(mount_point(root.get(), "/dev/console", false, !weakened("console-target")));
        TRY(mounts->attach(std::move(tree), target).under("mount /dev/console"));
    }
    for (int i = 0; i < 3; ++i) {
        if (dup2(slave.get(), i) < 0) return Error::sys("dup2");
    }
    if (ioctl(0, TIOCSCTTY, 0) != 0) return Error::sys("make it the controlling terminal");
    return channel.terminal(std::move(master));
}

}  // namespace orlop::launch
