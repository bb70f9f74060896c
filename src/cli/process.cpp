#include "cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/dir.h"
#include "cli/json_get.h"

namespace orlop::cli {

namespace {

using Json = nlohmann::json;

// proc(5), /proc/pid/stat: fields are numbered from 1; the second, in parentheses, may hold anything.
struct Stat {
    char state = '?';
    uint64_t start = 0;
};

std::optional<Stat> parse_stat(std::string_view text) {
    const size_t name_end = text.rfind(')');
    if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
    text.remove_prefix(name_end + 2);
    Stat out{.state = text.front()};
    for (int field = 3; field < 22; ++field) {
        const size_t blank = text.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        text.remove_prefix(blank + 1);
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.start);
    if (error != std::errc()) return std::nullopt;
    return out;
}

struct flock whole_file(short type) {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

Result<ProcessId> identify(pid_t pid) {
    const auto gone = [pid] { return Error::not_found("there is no process " + std::to_string(pid)); };
    if (pid <= 0) return gone();
    const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
    if (!text) return gone();
    const auto stat = parse_stat(*text);
    if (!stat || stat->state == 'Z' || stat->state == 'X') return gone();
    return ProcessId{pid, stat->start};
}

UniqueFd open_process(const ProcessId& process) {
    if (process.pid <= 0) return {};
    UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
    // Looked at after it was opened: the pidfd cannot change hands any more.
    const auto now = identify(process.pid);
    if (!now || *now != process) return {};
    return fd;
}

std::string daemon_states_json(const std::vector<DaemonState>& states) {
    Json out = Json::array();
    for (const DaemonState& s : states) {
        out.push_back({{"name", s.name},
                       {"pid", s.process.pid},
                       {"start", s.process.start},
                       {"restarts", s.restarts},
                       {"lastExit", s.last_exit}});
    }
    return out.dump(2) + "\n";
}

Result<std::vector<DaemonState>> parse_daemon_states(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_array()) return Error::invalid("supervisor.json is no JSON array");
    std::vector<DaemonState> out;
    for (const Json& s : json) {
        out.push_back(
            {json_string(s, "/name"),
             {static_cast<pid_t>(json_int(s, "/pid")), static_cast<uint64_t>(json_int(s, "/start"))},
             static_cast<int>(json_int(s, "/restarts")),
             json_string(s, "/lastExit")});
    }
    return out;
}

Result<std::vector<DaemonState>> read_daemon_states(const std::string& path) {
    const auto text = read_file(path);
    if (!text && text.error().kind() == Kind::NotFound) return std::vector<DaemonState>();
    if (!text) return text.error();
    return parse_daemon_states(*text);
}

Result<bool> wait_end(const UniqueFd& pidfd, Nanos timeout) {
    const SystemClock clock;
    const Nanos end = clock.monotonic() + timeout;
    for (;;) {
        const auto left = std::chrono::ceil<Millis>(end - clock.monotonic()).count();
        pollfd fd{pidfd.get(), POLLIN, 0};
        const int n = poll(&fd, 1, static_cast<int>(std::max<int64_t>(left, 0)));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::sys("poll");
        return n > 0;
    }
}

Status terminate(const ProcessId& process, Nanos grace) {
    const UniqueFd pidfd = open_process(process);
    if (!pidfd) return ok();
    for (const int signal : {SIGTERM, SIGKILL}) {
        if (syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) != 0 && errno != ESRCH)
            return Error::sys("signal process " + std::to_string(process.pid));
        if (TRY(wait_end(pidfd, grace))) return ok();
    }
    return Error::timed_out("process " + std::to_string(process.pid) + " does not end, not even by SIGKILL");
}

Result<LockFile> LockFile::take(const std::string& path) {
    UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return Error::sys("open " + path);
    struct flock lock = whole_file(F_WRLCK);
    if (fcntl(fd.get(), F_SETLK, &lock) == 0) return LockFile(std::move(fd));
    if (errno != EAGAIN && errno != EACCES) return Error::sys("lock " + path);
    const auto pid = holder(path);
    return Error(Kind::Exists,
                 "process " + (pid ? std::to_string(*pid) : "of somebody else") + " holds " + path);
}

std::optional<pid_t> LockFile::holder(const std::string& path) {
    const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct flock lock = whole_file(F_WRLCK);
    if (!fd || fcntl(fd.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
    return lock.l_pid;
}

std::string describe_exit(int wait_status) {
    return WIFSIGNALED(wait_status) ? "signal " + std::to_string(WTERMSIG(wait_status))
                                    : "exit " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace orlop::cli
