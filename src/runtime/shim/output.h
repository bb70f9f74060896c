// What a container writes: its pipes (or terminal), drained into its log whatever happens to the disk, and
// copied to those who are attached.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/event_loop.h"
#include "runtime/shim/clients.h"
#include "runtime/shim/log_lines.h"

namespace orlop::shim {

// Buffers that all containers of a shim share: one thread, one at a time.
struct Scratch {
    std::string read;
    std::string records;
};

class Output {
  public:
    using OnProblem = std::function<void(const Error&)>;  // a log write failed; once until it works again
    Output(EventLoop& loop, Scratch& scratch, LogFile log, OnProblem on_problem)
        : loop_(loop), scratch_(scratch), log_(std::move(log)), on_problem_(std::move(on_problem)) {}
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    Status add_stdout(UniqueFd fd) { return add(out_, std::move(fd)); }
    Status add_stderr(UniqueFd fd) { return add(err_, std::move(fd)); }
    // Called once, when both have ended (at once if they have).
    void when_ended(std::function<void()> callback);
    // Takes what is there and gives the rest up: somebody outside the container holds a pipe.
    void end_now();
    bool ended() const { return !out_.fd && !err_.fd; }
    Status reopen_log() { return log_.reopen(); }

    // Live streams for a client (clients.h). At the end of the output they are handed over, to be finished.
    Clients& clients() { return *clients_; }
    std::unique_ptr<Clients> take_clients() { return std::move(clients_); }

  private:
    struct Stream {
        UniqueFd fd;
        Watch watch;
        LineCutter cutter;
    };
    Status add(Stream& stream, UniqueFd fd);
    // False when nothing more is there right now.
    bool drain_once(Stream& stream);
    void close(Stream& stream);
    Status listen(Stream& stream);
    void go_on();
    void write_records();

    EventLoop& loop_;
    Scratch& scratch_;
    LogFile log_;
    OnProblem on_problem_;
    bool failing_ = false;
    std::function<void()> on_end_;
    Stream out_{{}, {}, LineCutter("stdout")};
    Stream err_{{}, {}, LineCutter("stderr")};
    std::unique_ptr<Clients> clients_ = std::make_unique<Clients>(loop_, [this] { go_on(); });
};

}  // namespace orlop::shim
