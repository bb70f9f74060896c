// What happens by itself: containers end, shims die. Fed by the hub's thread, worked off by a few threads in
// order for each pod: record on disk, then the event, then Forget to the shim.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "runtime/core/lifecycle/announcer.h"
#include "runtime/core/lifecycle/serial_pool.h"
#include "runtime/core/state/state.h"
#include "runtime/shim/protocol/protocol.h"

namespace orlop::core {

class Lifecycle {
  public:
    struct Actions {
        // The shim may drop its exit record now.
        std::function<void(const std::string& sandbox, const std::string& container)> forget;
        // Exit records that a dead shim left.
        std::function<std::vector<shim::Exit>(const std::string& sandbox)> left_exits;
        // Kills all that is left in the pod's cgroup; bounded.
        std::function<Status(const SandboxRecord&)> kill_pod;
        // For what nobody else can be told.
        std::function<void(const std::string& problem)> report;
    };

    // `retry`: after how long an exit that could not be put on disk is tried again.
    Lifecycle(State& state, Announcer& announcer, const Clock& clock, Actions actions,
              Nanos retry = std::chrono::seconds(5))
        : state_(state), announcer_(announcer), clock_(clock), actions_(std::move(actions)), retry_(retry) {}

    // From the hub's thread; they only queue.
    void exited(const std::string& sandbox, const shim::Exit& exit);
    void gone(const std::string& sandbox);

    // While one is open, an exit of the container waits, so that nobody sees it end before it started.
    class StartWindow {
      public:
        StartWindow(StartWindow&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), container_(std::move(other.container_)) {}
        StartWindow& operator=(StartWindow&&) = delete;
        ~StartWindow();

      private:
        friend class Lifecycle;
        StartWindow(Lifecycle* owner, std::string container)
            : owner_(owner), container_(std::move(container)) {}
        Lifecycle* owner_;
        std::string container_;
    };
    StartWindow starting(const std::string& container);

    // Puts the end on record and tells it; the second of two reports changes nothing.
    Status take_exit(const std::string& sandbox, const shim::Exit& exit);

  private:
    struct Held {
        std::string sandbox;
        std::optional<shim::Exit> exit;
    };
    void handle_exit(const std::string& sandbox, const shim::Exit& exit);
    void handle_gone(const std::string& sandbox);

    State& state_;
    Announcer& announcer_;
    const Clock& clock_;
    Actions actions_;
    Nanos retry_;
    std::mutex mutex_;
    std::map<std::string, Held> windows_;  // guarded by mutex_
    SerialPool pool_{2};                   // last: its threads use all above
};

}  // namespace orlop::core
