#include <fcntl.h>
#include <sys/eventfd.h>

#include <memory>

#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

// Both mechanisms wake for other things too (a removed cgroup, memory.high): only a grown counter is an OOM
// kill.
std::function<void()> when_counted(const Cgroup& cgroup, std::function<void()> on_oom) {
    auto seen = std::make_shared<uint64_t>(0);
    return [cgroup, seen, call = std::move(on_oom)] {
        const auto now = cgroup.oom_kills();
        if (!now || *now <= *seen) return;
        *seen = *now;
        call();
    };
}

}  // namespace

Result<OomWatch> OomWatch::make(EventLoop& loop, const Cgroup& cgroup, std::function<void()> on_oom) {
    OomWatch out;
    const std::string dir = TRY(cgroup.directory_of("memory"));
    auto check = when_counted(cgroup, std::move(on_oom));
    if (cgroup.hierarchies().version == Version::V2) {
        out.inotify_ = TRY(InotifyWatch::make(loop, dir + "/memory.events", IN_MODIFY,
                                              [check](const InotifyWatch::Event&) { check(); }));
        return out;
    }
    // kernel: admin-guide/cgroup-v1/memory, "OOM Control": "<eventfd> <fd of memory.oom_control>" into
    // cgroup.event_control.
    out.fd_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!out.fd_) return Error::sys("eventfd");
    out.control_ = UniqueFd(open((dir + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC));
    if (!out.control_) return Error::sys("open " + dir + "/memory.oom_control");
    TRY(write_value(dir + "/cgroup.event_control",
                    std::to_string(out.fd_.get()) + " " + std::to_string(out.control_.get())));
    out.watch_ = TRY(loop.add_fd(out.fd_.get(), EPOLLIN, [fd = out.fd_.get(), check](uint32_t) {
        eventfd_t count = 0;
        eventfd_read(fd, &count);
        check();
    }));
    return out;
}

}  // namespace orlop::cgroups
