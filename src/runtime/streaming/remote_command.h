// An exec or attach with its client: waits for the streams, starts it, moves bytes, reports the end.
#pragma once

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <memory>
#include <optional>
#include <string>

#include "runtime/streaming/protocols.h"
#include "runtime/streaming/pump.h"
#include "runtime/streaming/resize.h"
#include "runtime/streaming/serving.h"

namespace orlop::streaming {

// The channels of WebSocket; roles of SPDY streams.
enum Role : Channel { kStdin = 0, kStdout = 1, kStderr = 2, kError = 3, kResize = 4, kRoles = 5 };

struct Command {
    std::variant<ExecRequest, AttachRequest> request;
    CommandVersion version;
    bool spdy;  // channels are opened by the client; otherwise they are there
};

class RemoteCommand final : public LinkUser, public std::enable_shared_from_this<RemoteCommand> {
  public:
    RemoteCommand(Serving& serving, Command command, std::shared_ptr<Link> link);
    void start();

    bool opened(Channel channel, const std::map<std::string, std::string>& headers) override;
    void received(Channel channel, std::string_view bytes) override;
    void finished(Channel channel, bool both_ways) override;
    void room_again() override;
    void gone() override;

  private:
    using Exit = Result<std::optional<int32_t>>;
    struct Running {
        std::shared_ptr<Session> session;
        Session::Streams streams;
    };
    bool wanted(Role role) const;
    bool is(Channel channel, Role role) const { return channels_[role] == channel; }
    void call_backend();
    void started(Result<Running> running);
    void watch_end(int fd);
    void ended();
    void resize(TerminalSize size);
    void output_over(int error);
    void report_when_over();
    void hang_up();

    Serving& serving_;
    const Command command_;
    std::shared_ptr<Link> link_;
    std::array<std::optional<Channel>, kRoles> channels_;
    bool calling_ = false, gone_ = false;

    std::shared_ptr<Session> session_;  // used on session_strand_ only
    asio::strand<asio::thread_pool::executor_type> session_strand_;
    std::shared_ptr<InPump> in_;
    std::array<std::shared_ptr<OutPump>, 2> out_;  // stdout, stderr
    asio::posix::stream_descriptor end_;
    asio::steady_timer timer_;  // creation of the streams, later what may still come after the end
    std::optional<Exit> exit_;

    std::string early_input_;  // before the process is there
    bool input_finished_ = false;
    ResizeReader resize_reader_;
    std::optional<TerminalSize> next_size_;
    bool resizing_ = false;
};

}  // namespace orlop::streaming
