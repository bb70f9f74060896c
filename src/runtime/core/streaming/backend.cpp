#include "runtime/core/streaming/backend.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/weak.h"
#include "runtime/core/cri/exec_process.h"
#include "runtime/core/error_map.h"
#include "runtime/core/streaming/pipes.h"

namespace orlop::core {

namespace {

constexpr Nanos kAttach = std::chrono::seconds(10);
constexpr Nanos kDial = std::chrono::seconds(10);

Result<UniqueFd> again(int fd) {
    UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!copy) return Error::sys("dup");
    return copy;
}

class ExecSession final : public streaming::Session {
  public:
    ExecSession(std::unique_ptr<ExecProcess> process, Streams streams, UniqueFd terminal)
        : process_(std::move(process)), streams_(std::move(streams)), terminal_(std::move(terminal)) {}
    ~ExecSession() override {
        if (!process_->outcome()) process_->kill_soon();
    }
    Streams take_streams() override { return std::move(streams_); }
    Status resize(uint16_t width, uint16_t height) override {
        if (!terminal_) return Error::precondition("the command has no terminal");
        const winsize size{.ws_row = height, .ws_col = width, .ws_xpixel = 0, .ws_ypixel = 0};
        if (ioctl(terminal_.get(), TIOCSWINSZ, &size) != 0) return Error::sys("set the terminal's size");
        return ok();
    }
    int ended() const override { return process_->ended(); }
    Result<std::optional<int32_t>> exit_code() const override {
        const auto outcome = process_->outcome();
        if (!outcome) return Error::precondition("the command still runs");
        return std::optional<int32_t>(TRY(Result<int32_t>(*outcome)));
    }

  private:
    std::unique_ptr<ExecProcess> process_;
    Streams streams_;
    UniqueFd terminal_;
};

class AttachSession final : public streaming::Session {
  public:
    AttachSession(ShimHub& hub, const ContainerRecord& container, UniqueFd control, Streams streams)
        : hub_(hub),
          sandbox_(container.sandbox),
          container_(container.id),
          control_(std::move(control)),
          streams_(std::move(streams)) {}
    ~AttachSession() override {
        // Closing it tells the shim that the client is gone.
        if (weakened("detach")) (void)control_.release();
    }
    Streams take_streams() override { return std::move(streams_); }
    Status resize(uint16_t width, uint16_t height) override {
        hub_.send(sandbox_, shim::Resize{.container = container_, .width = width, .height = height});
        return ok();
    }
    int ended() const override { return control_.get(); }
    Result<std::optional<int32_t>> exit_code() const override { return std::optional<int32_t>(); }

  private:
    ShimHub& hub_;
    std::string sandbox_, container_;
    UniqueFd control_;
    Streams streams_;
};

Result<std::unique_ptr<streaming::Session>> exec_on_terminal(Parts& parts, const ContainerRecord& container,
                                                             const streaming::ExecRequest& request) {
    auto process =
        TRY(ExecProcess::start(parts, container, {.argv = request.command, .terminal = true}, ExecStreams{}));
    UniqueFd terminal = process->take_terminal();
    if (fcntl(terminal.get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("fcntl");
    streaming::Session::Streams streams;
    if (request.in) streams.in = TRY(again(terminal.get()));
    if (request.out) streams.out = TRY(again(terminal.get()));
    return std::unique_ptr<streaming::Session>(
        std::make_unique<ExecSession>(std::move(process), std::move(streams), std::move(terminal)));
}

}  // namespace

Result<std::unique_ptr<streaming::Session>> StreamingBackend::exec(const streaming::ExecRequest& request) {
    const auto container = TRY(parts_.state.containers->resolve(request.container));
    if (request.tty) return exec_on_terminal(parts_, *container, request);
    streaming::Session::Streams ours;
    ExecStreams theirs;
    const auto connect = [](bool wanted, Direction direction, UniqueFd& our, UniqueFd& their) -> Status {
        if (!wanted) return ok();
        Pipe pipe = TRY(open_pipe(direction));
        our = std::move(pipe.ours);
        their = std::move(pipe.theirs);
        return ok();
    };
    TRY(connect(request.in, Direction::ToProcess, ours.in, theirs.in));
    TRY(connect(request.out, Direction::FromProcess, ours.out, theirs.out));
    TRY(connect(request.err, Direction::FromProcess, ours.err, theirs.err));
    auto process = TRY(ExecProcess::start(parts_, *container, {.argv = request.command}, std::move(theirs)));
    return std::unique_ptr<streaming::Session>(
        std::make_unique<ExecSession>(std::move(process), std::move(ours), UniqueFd()));
}

Result<std::unique_ptr<streaming::Session>> StreamingBackend::attach(
    const streaming::AttachRequest& request) {
    const auto container = TRY(parts_.state.containers->resolve(request.container));
    if (container->phase != ContainerPhase::Running)
        return Error::precondition("container " + container->id + " does not run");
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Error::sys("socketpair");
    UniqueFd control(ends[0]);
    std::vector<UniqueFd> theirs;
    theirs.emplace_back(ends[1]);
    const bool err = request.err && !request.tty;
    streaming::Session::Streams ours;
    const auto connect = [&](bool wanted, Direction direction, UniqueFd& our) -> Status {
        if (!wanted) return ok();
        Pipe pipe = TRY(open_pipe(direction));
        our = std::move(pipe.ours);
        theirs.push_back(std::move(pipe.theirs));
        return ok();
    };
    TRY(connect(request.in, Direction::ToProcess, ours.in));
    TRY(connect(request.out, Direction::FromProcess, ours.out));
    TRY(connect(err, Direction::FromProcess, ours.err));
    const auto reply = inner(parts_.hub.call(
        container->sandbox,
        shim::Attach{.container = container->id, .in = request.in, .out = request.out, .err = err},
        std::move(theirs), kAttach));
    if (!reply) return Error(reply.error()).under("attach to container " + container->id);
    return std::unique_ptr<streaming::Session>(
        std::make_unique<AttachSession>(parts_.hub, *container, std::move(control), std::move(ours)));
}

Result<UniqueFd> StreamingBackend::dial(const std::string& sandbox, uint16_t port) {
    const auto record = TRY(parts_.state.sandboxes->resolve(sandbox));
    if (record->phase != SandboxPhase::Ready)
        return Error::precondition("sandbox " + record->id + " is not ready");
    return dial_in(record->netns, port, kDial);
}

}  // namespace orlop::core
