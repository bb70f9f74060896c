#include "runtime/oci/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/dir.h"

namespace orlop::oci {

void copy_size(int from, int to) {
    winsize size{};
    if (ioctl(from, TIOCGWINSZ, &size) == 0) ioctl(to, TIOCSWINSZ, &size);
}

TerminalProxy::~TerminalProxy() {
    if (before_) tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

Status TerminalProxy::start() {
    if (terminal_ < 0) return ok();
    const int flags = fcntl(terminal_, F_GETFL);
    if (flags < 0 || fcntl(terminal_, F_SETFL, flags | O_NONBLOCK) < 0)
        return Error::sys("fcntl of the terminal");
    termios ours{};
    if (tcgetattr(STDIN_FILENO, &ours) != 0) return ok();  // stdin is a pipe or a file
    copy_size(STDIN_FILENO, terminal_);
    termios raw = ours;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) return Error::sys("make the terminal raw");
    before_ = ours;
    return ok();
}

void TerminalProxy::prepare(pollfd* fds) const {
    const bool on = terminal_ >= 0;
    fds[0] = {on && input_open_ && pending_.empty() ? STDIN_FILENO : -1, POLLIN, 0};
    fds[1] = {on && !pending_.empty() ? terminal_ : -1, POLLOUT, 0};
    fds[2] = {on && output_open_ ? terminal_ : -1, POLLIN, 0};
}

void TerminalProxy::move(const pollfd* fds) {
    if (fds[0].revents != 0) {
        char buffer[4096];
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n > 0) pending_.assign(buffer, static_cast<size_t>(n));
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) input_open_ = false;
    }
    if (!pending_.empty()) {
        const ssize_t n = write(terminal_, pending_.data(), pending_.size());
        if (n > 0) pending_.erase(0, static_cast<size_t>(n));
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            pending_.clear();
            input_open_ = false;
        }
    }
    if (fds[2].revents != 0 && !copy_output()) output_open_ = false;
}

// False when nobody has the other side open (EIO, tty_ioctl(4)).
bool TerminalProxy::copy_output() {
    char buffer[16384];
    const ssize_t n = read(terminal_, buffer, sizeof buffer);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    (void)write_all(STDOUT_FILENO, {buffer, static_cast<size_t>(n)});
    return true;
}

void TerminalProxy::finish() {
    constexpr int kMostRounds = 64;  // a grandchild may go on writing for ever
    for (int i = 0; terminal_ >= 0 && output_open_ && i < kMostRounds; ++i) {
        pollfd fd{terminal_, POLLIN, 0};
        if (poll(&fd, 1, 0) <= 0 || !copy_output()) break;
    }
}

}  // namespace orlop::oci
