#include "runtime/streaming/remote_command.h"

#include <fcntl.h>

#include <boost/asio/post.hpp>

#include "runtime/streaming/status.h"

namespace orlop::streaming {

namespace {

// How long a pipe may stay open and silent after its process: something the process left behind holds it.
constexpr auto kDrain = std::chrono::seconds(1);

constexpr std::string_view kRoleNames[kRoles] = {"stdin", "stdout", "stderr", "error", "resize"};

}  // namespace

RemoteCommand::RemoteCommand(Serving& serving, Command command, std::shared_ptr<Link> link)
    : serving_(serving),
      command_(std::move(command)),
      link_(std::move(link)),
      session_strand_(serving.session_threads.get_executor()),
      end_(serving.io),
      timer_(serving.io) {}

bool RemoteCommand::wanted(Role role) const {
    return std::visit(
        [&](const auto& request) {
            switch (role) {
                case kStdin:
                    return request.in;
                case kStdout:
                    return request.out;
                case kStderr:
                    return request.err;
                case kResize:
                    return request.tty && has_resize(command_.version);
                default:
                    return true;
            }
        },
        command_.request);
}

void RemoteCommand::start() {
    if (!command_.spdy) {
        for (Channel role = 0; role < kRoles; ++role)
            if (wanted(static_cast<Role>(role))) channels_[role] = role;
        // An empty message tells the client that the connection stands.
        link_->send(channels_[kStdout].value_or(channels_[kStderr].value_or(kError)), "");
        return call_backend();
    }
    timer_.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(serving_.options.creation_timeout));
    timer_.async_wait([weak = weak_from_this()](Code code) {
        const auto self = weak.lock();
        if (!code && self && !self->calling_ && !self->gone_) self->link_->abort();
    });
}

bool RemoteCommand::opened(Channel channel, const std::map<std::string, std::string>& headers) {
    const auto type = headers.find("streamtype");
    if (type == headers.end()) return false;
    for (Channel role = 0; role < kRoles; ++role) {
        if (kRoleNames[role] != type->second || !wanted(static_cast<Role>(role)) || channels_[role]) continue;
        channels_[role] = channel;
        bool complete = true;
        for (Channel r = 0; r < kRoles; ++r) complete &= !wanted(static_cast<Role>(r)) || channels_[r];
        // Not at once: the client must have the reply for the stream before any data.
        if (complete) call_backend();
        return true;
    }
    return false;
}

void RemoteCommand::call_backend() {
    calling_ = true;
    timer_.cancel();
    asio::post(serving_.backend_threads, [self = shared_from_this(), &serving = serving_] {
        auto session = std::visit(
            [&](const auto& request) {
                if constexpr (std::is_same_v<std::decay_t<decltype(request)>, ExecRequest>)
                    return serving.backend.exec(request);
                else
                    return serving.backend.attach(request);
            },
            self->command_.request);
        auto running = std::make_shared<Result<Running>>(Running{});
        if (session) {
            (*running)->session = *std::move(session);
            (*running)->streams = (*running)->session->take_streams();
        } else {
            *running = std::move(session).error();
        }
        asio::post(serving.io, [self, running] { self->started(std::move(*running)); });
    });
}

void RemoteCommand::started(Result<Running> running) {
    if (!running) {
        exit_ = Exit(std::move(running).error());
        return gone_ ? void() : report_when_over();
    }
    session_ = std::move(running->session);
    if (gone_) return hang_up();
    const auto executor = serving_.io.get_executor();
    auto& streams = running->streams;
    const auto over = [weak = weak_from_this()](int error) {
        if (const auto self = weak.lock()) self->output_over(error);
    };
    if (streams.out && channels_[kStdout])
        out_[0] =
            std::make_shared<OutPump>(executor, std::move(streams.out), link_, *channels_[kStdout], over);
    if (streams.err && channels_[kStderr])
        out_[1] =
            std::make_shared<OutPump>(executor, std::move(streams.err), link_, *channels_[kStderr], over);
    if (streams.in && channels_[kStdin]) {
        in_ = std::make_shared<InPump>(executor, std::move(streams.in), link_, *channels_[kStdin], nullptr);
        in_->write(early_input_);
        if (input_finished_) in_->finish();
    } else if (channels_[kStdin]) {
        link_->taken(*channels_[kStdin], early_input_.size());
    }
    early_input_ = {};
    watch_end(session_->ended());
    if (next_size_) resize(*next_size_);
    room_again();
}

void RemoteCommand::watch_end(int fd) {
    Code code;
    UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    end_.assign(own.get(), code);
    if (code) {
        exit_ = Exit(Error::failed("watch for the end of the command: " + code.message()));
        return report_when_over();
    }
    own.release();
    end_.async_wait(asio::posix::stream_descriptor::wait_read, [weak = weak_from_this()](Code error) {
        const auto self = weak.lock();
        if (!error && self && !self->gone_) self->ended();
    });
}

void RemoteCommand::ended() {
    Code ignored;
    end_.close(ignored);
    asio::post(session_strand_, [self = shared_from_this(), session = session_, &io = serving_.io] {
        auto exit = std::make_shared<Exit>(session->exit_code());
        asio::post(io, [self, exit] {
            if (self->gone_) return;
            self->exit_ = std::move(*exit);
            self->report_when_over();
        });
    });
    timer_.expires_after(kDrain);
    timer_.async_wait([weak = weak_from_this()](Code code) {
        const auto self = weak.lock();
        if (code || !self || self->gone_) return;
        const auto pumps = self->out_;  // they may end
        for (const auto& pump : pumps)
            if (pump) pump->drain();
    });
}

void RemoteCommand::received(Channel channel, std::string_view bytes) {
    if (is(channel, kStdin)) {
        if (in_) return in_->write(bytes);
        if (!session_ && !exit_) {
            early_input_ += bytes;
            return;
        }
    } else if (is(channel, kResize)) {
        if (const auto size = resize_reader_.read(bytes)) resize(*size);
    }
    link_->taken(channel, bytes.size());
}

void RemoteCommand::finished(Channel channel, bool) {
    if (!is(channel, kStdin)) return;
    input_finished_ = true;
    if (in_) in_->finish();
}

// Only the last of several sizes counts.
void RemoteCommand::resize(TerminalSize size) {
    next_size_ = size;
    if (!session_ || resizing_) return;
    resizing_ = true;
    next_size_.reset();
    asio::post(session_strand_, [self = shared_from_this(), session = session_, size, &io = serving_.io] {
        // A terminal that is gone has no size, and nobody to tell so.
        (void)session->resize(size.width, size.height).ok();
        asio::post(io, [self] {
            self->resizing_ = false;
            if (self->next_size_ && !self->gone_) self->resize(*self->next_size_);
        });
    });
}

void RemoteCommand::room_again() {
    const auto pumps = out_;  // they may end
    for (const auto& pump : pumps)
        if (pump) pump->kick();
}

void RemoteCommand::output_over(int) {
    for (size_t i = 0; i < out_.size(); ++i) {
        if (!out_[i] || !out_[i]->is_over()) continue;
        out_[i].reset();
        link_->finish(*channels_[kStdout + i]);
    }
    report_when_over();
}

void RemoteCommand::report_when_over() {
    if (!exit_ || out_[0] || out_[1] || gone_) return;
    const std::string report = has_status_json(command_.version) ? status_json(*exit_) : status_text(*exit_);
    if (channels_[kError] && !report.empty()) link_->send(*channels_[kError], report);
    for (const auto& channel : channels_)
        if (channel) link_->finish(*channel);
    hang_up();
    link_->close();
}

// The session's end may take a while: not on the thread that serves everybody.
void RemoteCommand::hang_up() {
    if (in_) in_->stop();
    for (auto& pump : out_)
        if (pump) pump->stop();
    in_.reset();
    out_ = {};
    Code ignored;
    end_.close(ignored);
    timer_.cancel();
    if (session_) asio::post(session_strand_, [session = std::move(session_)]() mutable { session.reset(); });
}

void RemoteCommand::gone() {
    gone_ = true;
    hang_up();
    link_.reset();
}

}  // namespace orlop::streaming
