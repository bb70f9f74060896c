// orlop-shim --dir DIR --id SANDBOX: one pod's supervisor. Returns 0 to its starter once DIR/shim.sock
// listens.
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdio>
#include <cstring>
#include <memory>

#include "base/strong.h"
#include "base/weak.h"
#include "runtime/launch/self.h"
#include "runtime/shim/shim.h"

namespace orlop::shim {
namespace {

struct Arguments {
    std::string dir;
    std::string id;
};

Result<Arguments> parse(int argc, char** argv) {
    static constexpr option options[] = {{"dir", required_argument, nullptr, 'd'},
                                         {"id", required_argument, nullptr, 'i'},
                                         {"version", no_argument, nullptr, 'v'},
                                         {nullptr, 0, nullptr, 0}};
    Arguments arguments;
    opterr = 0;
    for (int c = 0; (c = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
        if (c == 'd') arguments.dir = optarg;
        if (c == 'i') arguments.id = optarg;
        if (c == 'v') {
            std::puts("orlop-shim " ORLOP_VERSION);
            std::exit(0);
        }
        if (c == '?') return Error::invalid(std::string("bad flag ") + argv[optind - 1]);
    }
    if (arguments.dir.empty() || arguments.id.empty() || optind != argc) {
        return Error::invalid("usage: orlop-shim --dir DIR --id SANDBOX_ID (orlop-runtime starts it)");
    }
    TRY(SandboxId::parse(arguments.id).under("--id"));
    return arguments;
}

// A path socket in a 0700 directory, never an abstract one (CVE-2020-15257).
Result<UniqueFd> listen_in(const Dir& dir) {
    UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return Error::sys("socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // By the directory's fd: its real path may be longer than a socket address can hold.
    const std::string path = "/proc/self/fd/" + std::to_string(dir.fd()) + "/shim.sock";
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    TRY(dir.unlink("shim.sock"));
    // The name without a file is for whoever shares the network namespace.
    if (weakened("path-socket")) address = {AF_UNIX, "\0orlop-shim"};
    const mode_t mask = umask(0177);
    const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int bind_errno = errno;
    umask(mask);
    if (bound != 0) return Error::sys("bind " + dir.path() + "/shim.sock", bind_errno);
    if (listen(fd.get(), 16) != 0) return Error::sys("listen");
    return fd;
}

Status settle_in() {
    if (setsid() < 0) return Error::sys("setsid");
    if (chdir("/") != 0) return Error::sys("chdir /");
    UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return Error::sys("open /dev/null");
    for (int fd = 0; fd < 3; ++fd) dup2(null.get(), fd);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return Error::sys("become a subreaper");
    // Children on their way into a container cannot be looked into from it (CVE-2016-9962).
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Error::sys("become non-dumpable");
    // Without CAP_SYS_RESOURCE this is refused (EACCES); the daemon has warned about that at its start.
    UniqueFd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (score && !write_all(score.get(), "-999")) errno = 0;
    return ok();
}

Status run(const Arguments& arguments) {
    Dir dir = TRY(Dir::make(arguments.dir, 0700));
    if (fchmod(dir.fd(), 0700) != 0) return Error::sys("chmod " + arguments.dir);
    TRY(dir.make_dir("exits", 0700));
    UniqueFd listener = TRY(listen_in(dir));
    auto hierarchies = TRY(cgroups::detect());
    const pid_t child = fork();
    if (child < 0) return Error::sys("fork");
    if (child > 0) _exit(0);

    TRY(settle_in());
    auto loop = TRY(EventLoop::make());
    Shim shim(*loop, std::move(dir), arguments.id, std::move(listener), std::move(hierarchies));
    TRY(shim.start());
    return loop->run();
}

}  // namespace
}  // namespace orlop::shim

int main(int argc, char** argv) {
    using namespace orlop::shim;
    if (auto r = orlop::launch::protect_own_binary(argv); !r) {
        std::fprintf(stderr, "orlop-shim: %s\n", r.error().what().c_str());
        return 1;
    }
    // One of these runs for each pod: a small heap that gives memory back.
    mallopt(M_TOP_PAD, 16 << 10);
    mallopt(M_TRIM_THRESHOLD, 32 << 10);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    auto arguments = parse(argc, argv);
    if (!arguments) {
        std::fprintf(stderr, "orlop-shim: %s\n", arguments.error().what().c_str());
        return 2;
    }
    if (auto r = run(*arguments); !r) {
        std::fprintf(stderr, "orlop-shim: %s\n", r.error().what().c_str());
        return 1;
    }
    return 0;
}
