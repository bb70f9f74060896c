// kernel: admin-guide/cgroup-v1/freezer-subsystem; admin-guide/cgroup-v2, "cgroup.freeze".
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/dir.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

constexpr Nanos kLongestPause = std::chrono::milliseconds(10);

std::string freezer_v2(const Cgroup& cgroup) {
    const Hierarchies& h = cgroup.hierarchies();
    const std::string& root = h.version == Version::V2 ? h.root : h.hybrid_v2;
    return root.empty() ? "" : root + cgroup.path();
}

Result<bool> says(const std::string& dir, std::string_view state) {
    return TRY(read_file(dir + "/freezer.state")).starts_with(state);
}

// v1 has no event for it: the state moves on when it is read.
Status wait_v1(const std::string& dir, std::string_view state, Nanos timeout) {
    const Nanos end = SystemClock().monotonic() + timeout;
    for (Nanos pause = std::chrono::microseconds(20); !TRY(says(dir, state)); pause *= 2) {
        if (SystemClock().monotonic() >= end)
            return Error::timed_out(dir + ": not " + std::string(state) + " in time");
        const Nanos next = std::min(pause, kLongestPause);
        const timespec t{.tv_sec = 0, .tv_nsec = next.count()};
        ppoll(nullptr, 0, &t, nullptr);
        pause = next;
    }
    return ok();
}

Status wait_v2(const std::string& dir, bool frozen, Nanos timeout) {
    const Nanos end = SystemClock().monotonic() + timeout;
    const UniqueFd events(open((dir + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    if (!events) return Error::sys("open " + dir + "/cgroup.events");
    for (;;) {
        if (lseek(events.get(), 0, SEEK_SET) < 0) return Error::sys("seek in " + dir + "/cgroup.events");
        const bool now = TRY(read_all(events.get())).find("frozen 1") != std::string::npos;
        if (now == frozen) return ok();
        const auto left = std::chrono::ceil<Millis>(end - SystemClock().monotonic()).count();
        if (left <= 0) return Error::timed_out(dir + ": not " + (frozen ? "frozen" : "thawed") + " in time");
        pollfd fd{events.get(), POLLPRI, 0};
        poll(&fd, 1, static_cast<int>(left));
    }
}

Result<std::string> v2_or_error(const Cgroup& cgroup) {
    std::string dir = freezer_v2(cgroup);
    if (dir.empty()) return Error::unimplemented("this host has no cgroup controller \"freezer\"");
    return dir;
}

}  // namespace

std::string freezer_v1(const Cgroup& cgroup) {
    const auto& v1 = cgroup.hierarchies().v1;
    const auto at = v1.find("freezer");
    return at == v1.end() ? "" : at->second + cgroup.path();
}

void thaw_below(const std::string& dir) {
    (void)write_value(dir + "/freezer.state", "THAWED");
    for (const std::string& name : children_of(dir)) thaw_below(dir + "/" + name);
}

Status Cgroup::freeze(Nanos timeout) const {
    const std::string v1 = freezer_v1(*this);
    const std::string dir = v1.empty() ? TRY(v2_or_error(*this)) : v1;
    TRY(v1.empty() ? write_value(dir + "/cgroup.freeze", "1")
                   : write_value(dir + "/freezer.state", "FROZEN"));
    auto done = v1.empty() ? wait_v2(dir, true, timeout) : wait_v1(dir, "FROZEN", timeout);
    if (done) return ok();
    if (auto back = thaw(Nanos(0)); !back) return std::move(done).error().also(back.error());
    return done;
}

Status Cgroup::thaw(Nanos timeout) const {
    if (const std::string v1 = freezer_v1(*this); !v1.empty()) {
        TRY(write_value(v1 + "/freezer.state", "THAWED"));
        return wait_v1(v1, "THAWED", timeout);
    }
    const std::string dir = TRY(v2_or_error(*this));
    TRY(write_value(dir + "/cgroup.freeze", "0"));
    return wait_v2(dir, false, timeout);
}

Result<bool> Cgroup::frozen() const {
    if (const std::string v1 = freezer_v1(*this); !v1.empty()) return says(v1, "FROZEN");
    const std::string dir = freezer_v2(*this);
    if (dir.empty()) return false;
    return TRY(read_keyed(dir + "/cgroup.events", "frozen")) == 1;
}

}  // namespace orlop::cgroups
