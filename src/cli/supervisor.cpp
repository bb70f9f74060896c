#include "cli/supervisor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>

#include "base/dir.h"

namespace orlop::cli {

namespace {

constexpr Nanos kStopGrace = std::chrono::seconds(15);
constexpr off_t kLogLimit = 16 << 20;
constexpr Nanos kSocketComes = std::chrono::seconds(5);
constexpr Nanos kSocketLook = std::chrono::milliseconds(20);

bool somebody_listens(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    path.copy(address.sun_path, path.size());
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return fd && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Appended to; a log that has become long makes place once, when the daemon starts.
Result<UniqueFd> open_log(const std::string& path) {
    struct stat st;
    if (stat(path.c_str(), &st) == 0 && st.st_size > kLogLimit &&
        rename(path.c_str(), (path + ".1").c_str()) != 0)
        return Error::sys("rename " + path);
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (!fd) return Error::sys("open " + path);
    return fd;
}

}  // namespace

Nanos next_backoff(Nanos last, Nanos lived) {
    if (lived >= kLongestBackoff || last <= Nanos(0)) return kFirstBackoff;
    return std::min(last * 2, kLongestBackoff);
}

Result<std::unique_ptr<Supervisor>> Supervisor::make(EventLoop& loop, std::vector<DaemonSpec> daemons,
                                                     SupervisorFiles files,
                                                     std::function<void(const std::string&)> report) {
    auto self = std::unique_ptr<Supervisor>(new Supervisor(loop, std::move(files), std::move(report)));
    Supervisor* const raw = self.get();
    for (const int signal : {SIGTERM, SIGINT})
        self->signals_.push_back(TRY(loop.add_signal(signal, [raw] { raw->stop_all(); })));
    self->signals_.push_back(TRY(loop.add_signal(SIGUSR1, [raw] { raw->stop_last(); })));
    for (DaemonSpec& spec : daemons) {
        auto daemon = std::make_unique<Daemon>();
        daemon->state.name = spec.name;
        daemon->spec = std::move(spec);
        self->daemons_.push_back(std::move(daemon));
    }
    TRY(self->stop_leftovers());
    return self;
}

// Daemons of a supervisor that was killed: two of a kind would fight over their sockets.
Status Supervisor::stop_leftovers() {
    for (const DaemonState& state : TRY(read_daemon_states(files_.states))) {
        if (!open_process(state.process)) continue;
        report_("ends the " + state.name + " of an earlier supervisor, process " +
                std::to_string(state.process.pid));
        TRY(terminate(state.process, kStopGrace).under(state.name));
    }
    return ok();
}

Status Supervisor::run() {
    for (auto& daemon : daemons_) {
        daemon->give_up = SystemClock().monotonic() + kSocketComes;
        start_when_possible(*daemon);
    }
    return loop_.run();
}

void Supervisor::save() {
    std::vector<DaemonState> states;
    for (const auto& daemon : daemons_) states.push_back(daemon->state);
    const size_t slash = files_.states.rfind('/');
    auto dir = Dir::open(files_.states.substr(0, slash));
    const Status saved = dir ? dir->write_atomic(files_.states.substr(slash + 1), daemon_states_json(states))
                             : Status(std::move(dir).error());
    if (!saved) report_("cannot remember the daemons: " + saved.error().what());
}

Status Supervisor::spawn_daemon(Daemon& daemon) {
    const UniqueFd log = TRY(open_log(files_.logs + "/" + daemon.spec.name + ".log"));
    SpawnSpec spec{.argv = daemon.spec.argv, .env = current_env(), .fds = {{log.get(), 1}, {log.get(), 2}}};
    daemon.child = TRY(spawn(spec));
    daemon.running = true;
    daemon.started = SystemClock().monotonic();
    daemon.exit = TRY(loop_.add_pidfd(daemon.child.pidfd.get(), [this, &daemon] { ended(daemon); }));
    if (auto id = identify(daemon.child.pid)) daemon.state.process = *id;
    return ok();
}

void Supervisor::start_when_possible(Daemon& daemon) {
    if (daemon.spec.after_socket.empty() || SystemClock().monotonic() >= daemon.give_up ||
        somebody_listens(daemon.spec.after_socket))
        return start(daemon);
    daemon.timer = loop_.add_timer_in(kSocketLook, [this, &daemon] { start_when_possible(daemon); });
}

void Supervisor::start(Daemon& daemon) {
    if (!daemon.wanted) return;
    if (const Status started = spawn_daemon(daemon); !started) {
        report_(daemon.spec.name + ": " + started.error().what());
        retry_later(daemon);
        return;
    }
    report_("started the " + daemon.spec.name + ", process " + std::to_string(daemon.child.pid));
    save();
}

void Supervisor::ended(Daemon& daemon) {
    int status = 0;
    waitpid(daemon.child.pid, &status, 0);
    daemon.exit.reset();
    daemon.timer.reset();
    daemon.running = false;
    daemon.state.process = {};
    daemon.state.last_exit = describe_exit(status);
    report_("the " + daemon.spec.name + " has ended: " + daemon.state.last_exit);
    if (daemon.wanted) retry_later(daemon);
    save();
    if (stopping_) stop_next();
}

void Supervisor::retry_later(Daemon& daemon) {
    const Nanos lived = daemon.started == Nanos(0) ? Nanos(0) : SystemClock().monotonic() - daemon.started;
    daemon.backoff = next_backoff(daemon.backoff, lived);
    ++daemon.state.restarts;
    daemon.timer = loop_.add_timer_in(daemon.backoff, [this, &daemon] { start(daemon); });
}

void Supervisor::stop(Daemon& daemon) {
    daemon.wanted = false;
    daemon.timer.reset();
    if (!daemon.running) return;
    kill(daemon.child.pid, SIGTERM);  // our child, not yet waited for: the pid is its own
    daemon.timer = loop_.add_timer_in(kStopGrace, [this, &daemon] {
        report_("the " + daemon.spec.name + " does not end: SIGKILL");
        kill(daemon.child.pid, SIGKILL);
    });
}

void Supervisor::stop_last() {
    if (!stopping_) stop(*daemons_.back());
}

void Supervisor::stop_all() {
    if (stopping_) return;
    stopping_ = true;
    stop_next();
}

// One after the other, the last started first; the loop ends when none is left.
void Supervisor::stop_next() {
    for (auto daemon = daemons_.rbegin(); daemon != daemons_.rend(); ++daemon) {
        stop(**daemon);
        if ((*daemon)->running) return;
    }
    loop_.stop();
}

}  // namespace orlop::cli
