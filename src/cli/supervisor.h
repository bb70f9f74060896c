// Keeps the daemons of a node running where there is no systemd: one thread, one event loop.
//
//   SIGTERM, SIGINT   stops the agent, then the runtime, and ends; pods stay
//   SIGUSR1           stops the agent for good and goes on with the runtime (`orlop down` needs it for the
//   pods)
//
// A daemon that dies is started again after 0.2 s, twice that when it dies again, up to 10 s; one that has
// lived for 10 s begins at 0.2 s again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/spawn.h"
#include "cli/daemons.h"
#include "cli/process.h"

namespace orlop::cli {

inline constexpr Nanos kFirstBackoff = std::chrono::milliseconds(200);
inline constexpr Nanos kLongestBackoff = std::chrono::seconds(10);

// The wait before the next start of a daemon that lived for `lived`; `last` is the wait before that start.
Nanos next_backoff(Nanos last, Nanos lived);

struct SupervisorFiles {
    std::string states;  // supervisor.json
    std::string logs;    // directory of <daemon>.log
};

class Supervisor {
  public:
    // Starts the daemons in this order and stops them in the reverse order. `report` says what happens, a
    // line each.
    static Result<std::unique_ptr<Supervisor>> make(EventLoop& loop, std::vector<DaemonSpec> daemons,
                                                    SupervisorFiles files,
                                                    std::function<void(const std::string&)> report);
    // Until everything has been stopped.
    Status run();
    void stop_all();
    void stop_last();

  private:
    struct Daemon {
        DaemonSpec spec;
        DaemonState state;
        Child child;
        Watch exit;
        Watch timer;       // the next look or start, or SIGKILL
        Nanos give_up{0};  // of waiting for its socket
        Nanos started{0};
        Nanos backoff{0};
        bool wanted = true;
        bool running = false;
    };

    Supervisor(EventLoop& loop, SupervisorFiles files, std::function<void(const std::string&)> report)
        : loop_(loop), files_(std::move(files)), report_(std::move(report)) {}
    Status stop_leftovers();
    void start_when_possible(Daemon& daemon);
    void start(Daemon& daemon);
    Status spawn_daemon(Daemon& daemon);
    void ended(Daemon& daemon);
    void retry_later(Daemon& daemon);
    void stop(Daemon& daemon);
    void stop_next();
    void save();

    EventLoop& loop_;
    SupervisorFiles files_;
    std::function<void(const std::string&)> report_;
    std::vector<std::unique_ptr<Daemon>> daemons_;
    std::vector<Watch> signals_;
    bool stopping_ = false;
};

}  // namespace orlop::cli
