// The daemon's side of all shims: one event-loop thread owns every socket (non-blocking SOCK_SEQPACKET),
// callers wait for the reply to their request number, with a deadline.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/shim/protocol/protocol.h"

namespace orlop::core {

// The end of one exec: `ready` becomes readable when it is known.
class ExecEnd {
  public:
    static Result<std::shared_ptr<ExecEnd>> make();
    int ready() const { return ready_.get(); }
    // 128+n after signal n; nothing while it runs. An Error when the shim died first.
    std::optional<Result<int32_t>> outcome() const;
    void set(Result<int32_t> outcome);

  private:
    explicit ExecEnd(UniqueFd ready) : ready_(std::move(ready)) {}
    UniqueFd ready_;  // eventfd(2)
    mutable std::mutex mutex_;
    std::optional<Result<int32_t>> outcome_;
};

struct ShimReply {
    shim::Body body;
    std::vector<UniqueFd> fds;
};

class ShimHub {
  public:
    // Called in the hub's thread: they must not block and not call the hub's waiting functions.
    struct Listener {
        std::function<void(const std::string& sandbox, const shim::Exit& exit)> exited;
        std::function<void(const std::string& sandbox, const std::string& container)> oom;
        // The shim died (not after disconnect()).
        std::function<void(const std::string& sandbox)> gone;
    };

    static Result<std::unique_ptr<ShimHub>> make(Listener listener);
    ~ShimHub();
    ShimHub(const ShimHub&) = delete;
    ShimHub& operator=(const ShimHub&) = delete;

    // Ends the thread: no listener is called from here on, no request is answered.
    void stop();

    // Connects to the shim's socket and says Hello.
    Result<shim::Snapshot> connect(const std::string& sandbox, const std::string& socket, Nanos timeout);
    bool connected(const std::string& sandbox) const;
    // No `gone` follows.
    void disconnect(const std::string& sandbox);

    // Sends and waits for the reply. Failed replies are errors of the shim's kind; Unavailable: no such shim
    // or it died; TimedOut: no reply, what became of the request is unknown.
    Result<shim::Body> call(const std::string& sandbox, shim::Body request, std::vector<UniqueFd> fds,
                            Nanos timeout);
    // The same, with the descriptors that came along.
    Result<ShimReply> exchange(const std::string& sandbox, shim::Body request, std::vector<UniqueFd> fds,
                               Nanos timeout);
    // Sends; the reply is dropped.
    void send(const std::string& sandbox, shim::Body request);

    // To be called before Exec is sent, since the end may come with its reply.
    Result<std::shared_ptr<ExecEnd>> expect_exec(const std::string& sandbox, const std::string& exec_id);
    void forget_exec(const std::string& sandbox, const std::string& exec_id);

  private:
    struct Slot;
    struct Outgoing;
    struct Connection;

    explicit ShimHub(std::unique_ptr<EventLoop> loop, Listener listener);
    // All below run in the hub's thread.
    void adopt(const std::string& sandbox, UniqueFd socket);
    void submit(const std::string& sandbox, Outgoing outgoing);
    void flush(const std::string& sandbox);
    void readable(const std::string& sandbox);
    void dispatch(const std::string& sandbox, shim::Received received);
    void drop(const std::string& sandbox, bool tell);

    std::unique_ptr<EventLoop> loop_;
    Listener listener_;
    std::map<std::string, std::unique_ptr<Connection>> connections_;  // the hub's thread only
    uint64_t next_request_ = 1;                                       // the hub's thread only
    mutable std::mutex mutex_;
    std::set<std::string> connected_;                                                // guarded by mutex_
    std::map<std::pair<std::string, std::string>, std::shared_ptr<ExecEnd>> execs_;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace orlop::core
