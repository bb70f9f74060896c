// For tests: a Backend whose processes are the test itself, at the other ends of pipes.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "runtime/streaming/backend.h"

namespace orlop::streaming {

inline std::pair<UniqueFd, UniqueFd> make_pipe() {  // read, write
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) abort();
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Waits so long for what must happen at once.
inline constexpr int kSoonMs = 20'000;

inline bool becomes_readable(int fd, int ms = kSoonMs) {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&one, 1, ms) > 0;
}

// Everything until the end of file, or until `size` bytes are there.
inline std::string read_from(int fd, size_t size = SIZE_MAX) {
    std::string all;
    char part[65536];
    while (all.size() < size && becomes_readable(fd)) {
        const ssize_t n = read(fd, part, std::min(sizeof part, size - all.size()));
        if (n == 0) break;
        if (n > 0) all.append(part, static_cast<size_t>(n));
    }
    return all;
}

inline bool write_to(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
        if (poll(&one, 1, kSoonMs) <= 0) return false;
        const ssize_t n = write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno != EAGAIN) return false;
        if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
}

// The test's side of a command.
class FakeProcess {
  public:
    UniqueFd in, out, err;  // what the process reads and writes

    void exit(Result<std::optional<int32_t>> code) {
        in.reset();
        out.reset();
        err.reset();
        leave_open_and_exit(std::move(code));
    }
    // As when something that it started holds its output.
    void leave_open_and_exit(Result<std::optional<int32_t>> code) {
        {
            const std::lock_guard lock(mutex_);
            code_ = std::move(code);
        }
        end_write_.reset();
    }
    std::pair<int, int> wait_for_size() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(kSoonMs), [&] { return !sizes_.empty(); });
        if (sizes_.empty()) return {};
        const auto size = sizes_.back();
        sizes_.clear();
        return size;
    }
    bool wait_for_hang_up() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(kSoonMs), [&] { return hung_up_; });
    }
    bool is_hung_up() {
        const std::lock_guard lock(mutex_);
        return hung_up_;
    }

  private:
    friend class FakeSession;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::pair<int, int>> sizes_;
    Result<std::optional<int32_t>> code_ = std::optional<int32_t>(0);
    bool hung_up_ = false;
    UniqueFd end_write_;
};

class FakeSession final : public Session {
  public:
    explicit FakeSession(std::shared_ptr<FakeProcess> process, bool in, bool out, bool err)
        : process_(std::move(process)) {
        if (in) std::tie(process_->in, streams_.in) = make_pipe();
        if (out) std::tie(streams_.out, process_->out) = make_pipe();
        if (err) std::tie(streams_.err, process_->err) = make_pipe();
        std::tie(end_, process_->end_write_) = make_pipe();
    }
    ~FakeSession() override {
        const std::lock_guard lock(process_->mutex_);
        process_->hung_up_ = true;
        process_->changed_.notify_all();
    }
    Streams take_streams() override { return std::move(streams_); }
    Status resize(uint16_t width, uint16_t height) override {
        const std::lock_guard lock(process_->mutex_);
        process_->sizes_.emplace_back(width, height);
        process_->changed_.notify_all();
        return ok();
    }
    int ended() const override { return end_.get(); }
    Result<std::optional<int32_t>> exit_code() const override {
        const std::lock_guard lock(process_->mutex_);
        return process_->code_;
    }

  private:
    std::shared_ptr<FakeProcess> process_;
    Streams streams_;
    UniqueFd end_;
};

class FakeBackend final : public Backend {
  public:
    // What a dial gives: by default one end of a socket pair, the other in next_peer().
    std::function<Result<UniqueFd>(uint16_t)> on_dial;
    std::function<Status()> before_exec = [] { return ok(); };

    Result<std::unique_ptr<Session>> exec(const ExecRequest& request) override {
        if (auto allowed = before_exec(); !allowed) return std::move(allowed).error();
        const std::lock_guard lock(mutex_);
        last_exec = request;
        return add(request.in, request.out, request.err);
    }
    Result<std::unique_ptr<Session>> attach(const AttachRequest& request) override {
        const std::lock_guard lock(mutex_);
        return add(request.in, request.out, request.err);
    }
    Result<UniqueFd> dial(const std::string& sandbox, uint16_t port) override {
        if (on_dial) return on_dial(port);
        int ends[2] = {-1, -1};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
            return Error::sys("socketpair");
        const std::lock_guard lock(mutex_);
        dialled.emplace_back(sandbox, port);
        peers_.emplace_back(ends[1]);
        changed_.notify_all();
        return UniqueFd(ends[0]);
    }

    std::shared_ptr<FakeProcess> next_process() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(kSoonMs), [&] { return !processes_.empty(); });
        if (processes_.empty()) return nullptr;
        auto process = std::move(processes_.front());
        processes_.pop_front();
        return process;
    }
    UniqueFd next_peer() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(kSoonMs), [&] { return !peers_.empty(); });
        if (peers_.empty()) return {};
        UniqueFd peer = std::move(peers_.front());
        peers_.pop_front();
        return peer;
    }

    ExecRequest last_exec;
    std::vector<std::pair<std::string, uint16_t>> dialled;

  private:
    std::unique_ptr<Session> add(bool in, bool out, bool err) {
        auto process = std::make_shared<FakeProcess>();
        auto session = std::make_unique<FakeSession>(process, in, out, err);
        processes_.push_back(std::move(process));
        changed_.notify_all();
        return session;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<FakeProcess>> processes_;
    std::deque<UniqueFd> peers_;
};

}  // namespace orlop::streaming
