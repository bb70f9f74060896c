#include "runtime/core/cri/exec_cgroup.h"

#include <poll.h>
#include <unistd.h>

#include "base/dir.h"

namespace orlop::core {

Result<ExecCgroup> ExecCgroup::make(launch::CgroupJoin& join, const std::string& exec_id) {
    if (join.v2_dir.empty()) return ExecCgroup("");
    const Dir container = TRY(Dir::open(join.v2_dir));
    const std::string path = TRY(container.make_dir("exec-" + exec_id)).path();
    join.v2_dir = path;
    return ExecCgroup(path);
}

ExecCgroup::~ExecCgroup() {
    if (!path_.empty()) rmdir(path_.c_str());
}

Status ExecCgroup::kill(Nanos timeout) const {
    if (path_.empty()) return ok();
    const Dir dir = TRY(Dir::open(path_));
    const UniqueFd events = TRY(dir.open_file("cgroup.events", O_RDONLY));
    TRY(dir.write("cgroup.kill", "1"));
    const SystemClock clock;
    const Nanos end = clock.monotonic() + timeout;
    for (;;) {
        // Admin guide, cgroup v2: a change of cgroup.events is reported as POLLPRI; reading arms the next.
        if (lseek(events.get(), 0, SEEK_SET) != 0) return Error::sys("lseek cgroup.events");
        if (TRY(read_all(events.get())).find("populated 0") != std::string::npos) return ok();
        const auto left = std::chrono::ceil<Millis>(end - clock.monotonic()).count();
        pollfd change{.fd = events.get(), .events = POLLPRI, .revents = 0};
        if (left <= 0 || poll(&change, 1, static_cast<int>(left)) == 0) {
            return Error::timed_out("processes of the command do not die after SIGKILL");
        }
    }
}

}  // namespace orlop::core
