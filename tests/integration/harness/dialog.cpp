#include "harness/dialog.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "base/dir.h"
#include "harness/place.h"

namespace orlop::it {
namespace {

struct Pair {
    UniqueFd ours, theirs;
};

Pair pipe_to_it() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    return {UniqueFd(fds[1]), UniqueFd(fds[0])};
}

Pair pipe_from_it() {
    Pair pair = pipe_to_it();
    std::swap(pair.ours, pair.theirs);
    return pair;
}

Pair terminal() {
    Pair pair;
    pair.ours.reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_EQ(unlockpt(pair.ours.get()), 0);
    pair.theirs.reset(open(ptsname(pair.ours.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_TRUE(pair.theirs);
    return pair;
}

}  // namespace

Dialog::Dialog(const std::vector<std::string>& argv, On on) : terminal_(on == On::Terminal) {
    SpawnSpec spec{.argv = argv, .env = current_env(), .fds = {}};
    Pair in = terminal_ ? terminal() : pipe_to_it();
    Pair output;
    Pair errors;
    if (terminal_) {
        const int side = in.theirs.get();
        spec.fds = {{side, 0}, {side, 1}, {side, 2}};
        out_.reset(fcntl(in.ours.get(), F_DUPFD_CLOEXEC, 3));
    } else {
        output = pipe_from_it();
        errors = pipe_from_it();
        spec.fds = {{in.theirs.get(), 0}, {output.theirs.get(), 1}, {errors.theirs.get(), 2}};
        out_ = std::move(output.ours);
        err_ = std::move(errors.ours);
    }
    in_ = std::move(in.ours);
    auto child = spawn(spec);
    EXPECT_TRUE(child) << child.error().what();
    if (child) child_ = std::move(*child);
}

Dialog::~Dialog() {
    if (child_.pid <= 0) return;
    kill(child_.pid, SIGKILL);
    (void)wait_child(child_, scaled(20));
}

void Dialog::say(const std::string& text) {
    EXPECT_TRUE(write_all(in_.get(), text));
}

void Dialog::end_input() {
    in_.reset();
}

void Dialog::read_until(int fd, std::string& into, const std::optional<std::string>& text) {
    const auto limit = std::chrono::milliseconds(scaled(30)).count();
    while (!text || into.find(*text) == std::string::npos) {
        pollfd ready{fd, POLLIN, 0};
        char buffer[65536];
        if (poll(&ready, 1, static_cast<int>(limit)) != 1) {
            ADD_FAILURE() << "nothing more comes after: " << into;
            return;
        }
        const ssize_t n = read(fd, buffer, sizeof buffer);
        if (n <= 0) {
            if (text) ADD_FAILURE() << "it ended before \"" << *text << "\": " << into;
            return;
        }
        into.append(buffer, static_cast<size_t>(n));
    }
}

std::string Dialog::hear(const std::string& text) {
    read_until(out_.get(), out, text);
    return out;
}

std::string Dialog::hear_error(const std::string& text) {
    read_until(err_.get(), err, text);
    return err;
}

int Dialog::finish() {
    read_until(out_.get(), out, std::nullopt);
    if (err_) read_until(err_.get(), err, std::nullopt);
    const auto status = wait_child(child_, scaled(30));
    EXPECT_TRUE(status) << status.error().what();
    if (!status) return -1;
    child_ = Child{};
    return WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
}

void Dialog::signal(int number) {
    EXPECT_EQ(kill(child_.pid, number), 0);
}

void Dialog::resize(unsigned short rows, unsigned short columns) {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(ioctl(out_.get(), TIOCSWINSZ, &size), 0);
    // It is not the controlling terminal of its session.
    signal(SIGWINCH);
}

}  // namespace orlop::it
