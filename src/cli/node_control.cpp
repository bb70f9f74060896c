#include "cli/node_control.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/dir.h"
#include "base/spawn.h"
#include "cli/cri_client.h"
#include "cli/daemons.h"
#include "cli/process.h"

namespace orlop::cli {

namespace {

constexpr Nanos kStopAll = std::chrono::seconds(40);  // two daemons, 15 s each, then SIGKILL
constexpr int kHopeless = 2;                          // restarts before its first answer

// What the last line of a daemon's log says.
std::string last_line(const std::string& path) {
    auto text = read_file(path, 64u << 20);
    if (!text) return "";
    while (!text->empty() && text->back() == '\n') text->pop_back();
    const size_t start = text->rfind('\n');
    return start == std::string::npos ? *text : text->substr(start + 1);
}

class SupervisedControl final : public NodeControl {
  public:
    explicit SupervisedControl(const NodePaths& paths) : paths_(paths) {}

    Result<bool> running() override { return supervisor().has_value(); }

    Status start(const NodeOptions&) override {
        // Daemons of a supervisor that was killed would answer in place of the new ones.
        TRY(stop());
        if (access(paths_.runtime_socket.c_str(), F_OK) == 0 &&
            CriClient::connect("unix://" + paths_.runtime_socket, std::chrono::milliseconds(200))) {
            return Error::precondition("a runtime that this command did not start serves " +
                                       paths_.runtime_socket + ": stop it, or take another --name");
        }
        TRY(forget_failures());
        const std::string log = paths_.logs + "/supervisor.log";
        const UniqueFd out(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
        if (!out) return Error::sys("open " + log);
        child_ = TRY(spawn({.argv = {"/proc/self/exe", "supervise", "--name", paths_.name},
                            .env = current_env(),
                            .fds = {{out.get(), 1}, {out.get(), 2}},
                            .new_session = true}));
        return ok();
    }

    Status stop_agent() override {
        const auto states = TRY(read_daemon_states(paths_.in_run("supervisor.json")));
        const auto agent = std::find_if(states.begin(), states.end(),
                                        [](const DaemonState& s) { return s.name == "agent"; });
        const auto pid = supervisor();
        if (!pid) return agent == states.end() ? ok() : terminate(agent->process, kStopAll);
        const UniqueFd ends = agent == states.end() ? UniqueFd() : open_process(agent->process);
        if (kill(*pid, SIGUSR1) != 0) return Error::sys("signal the supervisor");
        if (ends && !TRY(wait_end(ends, kStopAll))) return Error::timed_out("the agent does not end");
        return ok();
    }

    Status stop() override {
        if (const auto pid = supervisor()) {
            if (const auto process = identify(*pid)) TRY(terminate(*process, kStopAll).under("supervisor"));
        }
        // What a supervisor that was killed has left.
        auto states = TRY(read_daemon_states(paths_.in_run("supervisor.json")));
        std::reverse(states.begin(), states.end());
        for (const DaemonState& state : states) TRY(terminate(state.process, kStopAll).under(state.name));
        return ok();
    }

    std::string trouble(const std::string& daemon) override {
        if (child_.pid > 0 && wait_end(child_.pidfd, Nanos(0)).value_or(false))
            return "the supervisor has ended: " + last_line(paths_.logs + "/supervisor.log");
        const auto states = read_daemon_states(paths_.in_run("supervisor.json"));
        for (const DaemonState& state : states.value_or({})) {
            if (state.name == daemon && state.restarts >= kHopeless)
                return "the " + daemon + " does not start (" + state.last_exit +
                       "): " + last_line(paths_.logs + "/" + daemon + ".log");
        }
        return "";
    }

    std::string log_hint(const std::string& daemon) const override {
        return paths_.logs + "/" + daemon + ".log";
    }

  private:
    // Restarts below an earlier supervisor say nothing about this start; its processes may still live.
    Status forget_failures() {
        auto states = TRY(read_daemon_states(paths_.in_run("supervisor.json")));
        if (states.empty()) return ok();
        for (DaemonState& state : states) state.restarts = 0;
        const Dir run = TRY(Dir::open(paths_.run));
        return run.write_atomic("supervisor.json", daemon_states_json(states));
    }

    std::optional<pid_t> supervisor() const { return LockFile::holder(paths_.in_run("lock")); }

    NodePaths paths_;
    Child child_;
};

}  // namespace

bool systemd_is_pid1() {
    return access("/run/systemd/system", F_OK) == 0;
}

std::unique_ptr<NodeControl> make_supervised_control(const NodePaths& paths) {
    return std::make_unique<SupervisedControl>(paths);
}

std::unique_ptr<NodeControl> make_control(const NodePaths& paths) {
    return systemd_is_pid1() ? make_systemd_control(paths) : make_supervised_control(paths);
}

Result<std::string> own_directory() {
    std::string path(4096, '\0');
    const ssize_t n = readlink("/proc/self/exe", path.data(), path.size());
    if (n < 0) return Error::sys("readlink /proc/self/exe");
    path.resize(static_cast<size_t>(n));
    return path.substr(0, path.rfind('/'));
}

}  // namespace orlop::cli
