#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "base/dir.h"
#include "cli/commands.h"
#include "cli/supervisor.h"

namespace orlop::cli {

namespace {

void report(const std::string& line) {
    std::fprintf(stderr, "%s %s\n", rfc3339_nano(SystemClock().wall()).c_str(), line.c_str());
}

}  // namespace

Result<int> supervise(const Common& common) {
    const NodePaths paths = common.paths();
    // Whoever ran `up` may wait for the end of descriptors that it gave to it, or want to unmount its
    // directory.
    syscall(SYS_close_range, 3U, ~0U, 0U);
    if (chdir("/") != 0) return Error::sys("chdir /");
    const LockFile lock = TRY(LockFile::take(paths.in_run("lock")));
    const NodeOptions options = TRY(parse_node_options(TRY(read_file(paths.in_run("node.json")))));
    auto loop = TRY(EventLoop::make());
    auto supervisor =
        TRY(Supervisor::make(*loop, {runtime_daemon(paths, options), agent_daemon(paths, options)},
                             {paths.in_run("supervisor.json"), paths.logs}, report));
    TRY(supervisor->run());
    report("ends");
    return 0;
}

}  // namespace orlop::cli
