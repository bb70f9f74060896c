#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "base/process_handle.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

std::vector<ProcessHandle> hold(const std::vector<pid_t>& pids) {
    std::vector<ProcessHandle> out;
    for (const pid_t pid : pids) {
        if (auto held = ProcessHandle::open(pid)) out.push_back(*std::move(held));  // else it is gone already
    }
    return out;
}

// False at the deadline with some still alive.
bool wait_all(const std::vector<ProcessHandle>& victims, Nanos end) {
    for (const ProcessHandle& victim : victims) {
        if (!victim.wait_end(end - SystemClock().monotonic())) return false;
    }
    return true;
}

// cgroup.kill (5.14) takes the whole subtree at once, whatever forks meanwhile. On hybrid hosts it is in the
// v2 directory.
void kill_by_file(const Hierarchies& h, const std::string& path) {
    const std::string v2 = h.version == Version::V2 ? h.root : h.hybrid_v2;
    // Missing before 5.14: the signals that follow do the same for all but a fork in this very moment, and
    // the loop repeats.
    if (!v2.empty()) (void)write_value(v2 + path + "/cgroup.kill", "1");
}

// rmdir of one directory and all below it; ENOENT is fine. Returns the errno of what is in the way, or 0.
int remove_below(const std::string& dir) {
    if (rmdir(dir.c_str()) == 0 || errno == ENOENT) return 0;
    if (errno != EBUSY && errno != ENOTEMPTY) return errno;
    for (const std::string& name : children_of(dir)) {
        if (const int e = remove_below(dir + "/" + name); e != 0) return e;
    }
    return rmdir(dir.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace

Status forget_slices(const Hierarchies& h, std::string path) {
    for (size_t slash = path.rfind('/'); slash != 0 && slash != std::string::npos; slash = path.rfind('/')) {
        path.resize(slash);
        for (const char* controller : {"cpuset", "freezer", "hugetlb", "net_cls", "net_prio", "perf_event",
                                       "cpuacct", "rdma", "misc"}) {
            const auto at = h.v1.find(controller);
            if (at == h.v1.end()) continue;
            const std::string dir = at->second + path;
            if (rmdir(dir.c_str()) != 0 && errno != ENOENT && errno != EBUSY && errno != ENOTEMPTY)
                return Error::sys("remove cgroup " + dir);
        }
    }
    return ok();
}

Status Cgroup::kill_all(Nanos timeout) const {
    const Nanos end = SystemClock().monotonic() + timeout;
    const std::string freezer = freezer_v1(*this);
    for (bool again = false;; again = true) {
        std::vector<ProcessHandle> victims = hold(TRY(processes_recursive()));
        if (victims.empty()) return ok();
        // What forked faster than it was counted stands still the second time.
        if (again && !freezer.empty() && write_value(freezer + "/freezer.state", "FROZEN"))
            victims = hold(TRY(processes_recursive()));
        // By file first, so that nothing can fork away; then by name, for what is not in the v2 directory of
        // a hybrid host.
        kill_by_file(*h_, path_);
        for (const ProcessHandle& victim : victims) (void)victim.signal(SIGKILL).ok();
        // A process that the v1 freezer holds dies when it is let go.
        if (!freezer.empty()) thaw_below(freezer);
        if (!wait_all(victims, end)) {
            return Error::timed_out(std::to_string(victims.size()) + " processes of cgroup " + path_ +
                                    " were killed but have not ended, the first is " +
                                    std::to_string(victims[0].pid()));
        }
        if (SystemClock().monotonic() >= end) return Error::timed_out("cgroup " + path_ + " keeps forking");
    }
}

Status Cgroup::remove(Nanos timeout) const {
    const Nanos end = SystemClock().monotonic() + timeout;
    for (const std::string& dir : directories()) {
        for (;;) {
            const int e = remove_below(dir);
            if (e == 0) break;
            if (e != EBUSY || SystemClock().monotonic() >= end) return Error::sys("remove cgroup " + dir, e);
            // A dead process leaves its cgroup a moment after its exit is visible, and cgroup v1 has no event
            // for that.
            wait_all(hold(TRY(processes_recursive())), end);
            poll(nullptr, 0, 1);
        }
    }
    return ok();
}

}  // namespace orlop::cgroups
