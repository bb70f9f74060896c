#include "netns/netns.h"

#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#include <functional>
#include <system_error>
#include <thread>

#include "base/dir.h"
#include "base/strong.h"
#include "base/undo.h"
#include "netns/owned.h"
#include "netns/sysctl.h"

namespace orlop::netns {

namespace {

Status loopback_up() {
    UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) return Error::sys("socket");
    ifreq request{};
    std::string_view("lo").copy(request.ifr_name, sizeof request.ifr_name - 1);
    if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return Error::sys("SIOCGIFFLAGS lo");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) return Error::sys("SIOCSIFFLAGS lo");
    return ok();
}

// Runs in a thread that ends right after: its namespace is then held by the bind mount alone.
Status make_here(const NetnsOptions& options, const std::string& path) {
    if (unshare(CLONE_NEWNET) != 0) return Error::sys("unshare(CLONE_NEWNET)");
    TRY(loopback_up());
    for (const auto& [name, value] : options.sysctls) TRY(write_net_sysctl(name, value));
    if (mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) != 0)
        return Error::sys("bind mount on " + path);
    return ok();
}

// In a thread of its own too.
Status configure(const NetnsOptions& options, const std::string& path) {
    UniqueFd ns(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!ns) return Error::sys("open " + path);
    if (setns(ns.get(), CLONE_NEWNET) != 0) return Error::sys("enter " + path);
    TRY(loopback_up());
    for (const auto& [name, value] : options.sysctls) TRY(write_net_sysctl(name, value));
    return ok();
}

Status in_new_thread(const std::function<Status()>& work) {
    Status status;
    try {
        std::thread thread([&] {
            // Signals are for the threads that handle them.
            sigset_t all;
            sigfillset(&all);
            pthread_sigmask(SIG_BLOCK, &all, nullptr);
            status = work();
        });
        thread.join();
    } catch (const std::system_error& e) {
        return Error::sys("start a thread", e.code().value());
    }
    return status;
}

Status check_options(const NetnsOptions& options) {
    if (options.uids.has_value() != options.gids.has_value())
        return Error::invalid("users and groups are mapped together");
    for (const auto& [name, value] : options.sysctls) {
        TRY(net_sysctl_path(name));
        TRY(check_sysctl_value(value).under("sysctl " + name));
    }
    return ok();
}

}  // namespace

std::string new_name() {
    return "cni-" + random_uuid();
}

Result<std::string> create(const NetnsOptions& options) {
    TRY(check_options(options));
    const Dir dir = TRY(Dir::make(options.dir));
    const std::string name = options.name.empty() ? new_name() : options.name;
    const std::string path = options.dir + "/" + name;
    TRY(dir.open_file(name, O_RDONLY | O_CREAT | O_EXCL, 0444));
    UndoStack undo;
    undo.push("make " + path, [&] { return remove(path); });
    const auto make = [&]() -> Status {
        if (!options.uids) return make_here(options, path);
        TRY(make_in_user_namespace(*options.uids, *options.gids, path));
        return configure(options, path);
    };
    if (auto made = in_new_thread(make); !made) {
        Error error = std::move(made).error().under("network namespace");
        const Status undone = undo.unwind();
        return undone ? std::move(error) : std::move(error).also(undone.error());
    }
    undo.commit();
    return path;
}

Status remove(const std::string& path) {
    // EINVAL: no mount there. Others may still be in the namespace: MNT_DETACH does not wait for them.
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT)
        return Error::sys("unmount " + path);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return Error::sys("unlink " + path);
    return ok();
}

bool alive(const std::string& path) {
    struct statfs fs {};
    return statfs(path.c_str(), &fs) == 0 && static_cast<long>(fs.f_type) == NSFS_MAGIC;
}

}  // namespace orlop::netns
