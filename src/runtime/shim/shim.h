// One pod's supervisor: parent of pause and of every container and exec, owner of their output, keeper of
// their exits. One thread. It serves any number of daemons, one after the other or at once, and outlives
// them.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/dir.h"
#include "base/event_loop.h"
#include "cgroups/cgroup.h"
#include "runtime/launch/launch.h"
#include "runtime/shim/input.h"
#include "runtime/shim/output.h"
#include "runtime/shim/protocol/protocol.h"

namespace orlop::shim {

struct Connection {
    UniqueFd fd;
    Watch watch;
};
// Who asked, so that the answer can follow later; the connection may be gone by then.
struct Asker {
    std::weak_ptr<Connection> connection;
    uint64_t request = 0;
};

struct Container {
    std::string id;
    launch::Launching launching;
    Watch report;
    Asker asker;
    launch::CgroupJoin cgroup;
    bool own_pid_namespace = true;
    bool running = false;
    int64_t started_at = 0;
    std::unique_ptr<Output> output;
    bool stdin_open = false, stdin_once = false;
    std::unique_ptr<Input> input;
    UniqueFd terminal;  // to set its size
    std::optional<cgroups::OomWatch> oom_watch;
    bool oom = false;
    std::optional<int> wait_status;  // reaped, output still being drained
    int64_t finished_at = 0;
    Watch drain_limit;
    std::optional<Exit> exit;
};

struct ExecProcess {
    launch::Launching launching;
    Watch report;
    Asker asker;
    bool running = false;
};

class Shim {
  public:
    Shim(EventLoop& loop, Dir dir, std::string id, UniqueFd listener, cgroups::Hierarchies hierarchies)
        : loop_(loop),
          dir_(std::move(dir)),
          id_(std::move(id)),
          listener_(std::move(listener)),
          hierarchies_(std::move(hierarchies)) {}
    Status start();

  private:
    void accept_connection();
    void read_from(const std::shared_ptr<Connection>& connection);
    void handle(const std::shared_ptr<Connection>& connection, Received received);
    // Each answers now (a Body) or later through the Asker (nullopt).
    using Answer = Result<std::optional<Body>>;
    Answer on(const Hello&, Asker, std::vector<UniqueFd>&);
    Answer on(const CreateSandbox&, Asker, std::vector<UniqueFd>&);
    Answer on(const StartContainer&, Asker, std::vector<UniqueFd>&);
    Answer on(const Exec&, Asker, std::vector<UniqueFd>&);
    Answer on(const Signal&, Asker, std::vector<UniqueFd>&);
    Answer on(const ReopenLog&, Asker, std::vector<UniqueFd>&);
    Answer on(const Forget&, Asker, std::vector<UniqueFd>&);
    Answer on(const Shutdown&, Asker, std::vector<UniqueFd>&);
    Answer on(const Attach&, Asker, std::vector<UniqueFd>&);
    Answer on(const Resize&, Asker, std::vector<UniqueFd>&);
    template <class Other>
    Answer on(const Other&, Asker, std::vector<UniqueFd>&) {
        return Error::invalid("that message is not for a shim");
    }

    void pause_reported();
    void container_reported(const std::string& id);
    Status take_terminal(Container& container);
    void exec_reported(const std::string& id);
    void reap();
    void reaped(pid_t pid, int status);
    void container_ended(Container& container);
    void container_drained(const std::string& id);
    void finish_clients(Container& container);
    void oom_seen(Container& container);
    void kill_rest(const Container& container);
    Result<Container*> find(const std::string& id);

    void answer(const Asker& asker, Body body, int fd = -1);
    void answer_error(const Asker& asker, const Error& error);
    void broadcast(const Body& body);
    void drop(const std::shared_ptr<Connection>& connection);
    void note(const std::string& text);

    EventLoop& loop_;
    Dir dir_;
    std::string id_;
    UniqueFd listener_;
    cgroups::Hierarchies hierarchies_;
    Scratch scratch_;
    Watch accept_watch_, child_watch_;
    std::list<std::shared_ptr<Connection>> connections_;

    launch::Launching pause_;
    Watch pause_report_;
    Asker pause_asker_;
    bool pause_running_ = false;
    launch::SandboxNamespaces namespaces_;
    std::optional<launch::PausePlan> pause_plan_;
    std::optional<Asker> shutdown_asker_;

    std::map<std::string, std::unique_ptr<Container>> containers_;
    std::map<std::string, std::unique_ptr<ExecProcess>> execs_;
    std::list<std::unique_ptr<Clients>> leaving_;  // of containers that have ended
};

}  // namespace orlop::shim
