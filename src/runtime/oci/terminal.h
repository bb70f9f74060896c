// Joins a pseudo-terminal to our stdin and stdout.
#pragma once

#include <poll.h>
#include <termios.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace orlop::oci {

// The window size of one terminal, given to another; nothing when `from` is no terminal.
void copy_size(int from, int to);

// Does nothing for `terminal` -1. Our own terminal is raw while this lives.
class TerminalProxy {
  public:
    explicit TerminalProxy(int terminal) : terminal_(terminal) {}
    ~TerminalProxy();
    TerminalProxy(const TerminalProxy&) = delete;
    TerminalProxy& operator=(const TerminalProxy&) = delete;

    Status start();
    // Fills three entries for poll(2), and after it moves what is ready.
    void prepare(pollfd* fds) const;
    void move(const pollfd* fds);
    // What the terminal still holds, once the process has ended.
    void finish();

  private:
    bool copy_output();

    int terminal_;
    bool input_open_ = true;
    bool output_open_ = true;
    std::string pending_;  // input that the terminal did not take yet
    std::optional<termios> before_;
};

}  // namespace orlop::oci
