// A program that a test talks to while it runs, over pipes or on a terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/spawn.h"

namespace orlop::it {

class Dialog {
  public:
    enum class On { Pipes, Terminal };

    explicit Dialog(const std::vector<std::string>& argv, On on = On::Pipes);
    // Kills it if it still runs.
    ~Dialog();
    Dialog(const Dialog&) = delete;
    Dialog& operator=(const Dialog&) = delete;

    void say(const std::string& text);
    void end_input();
    // Its output until `text` is among it; a failure of the test when that never comes.
    std::string hear(const std::string& text);
    std::string hear_error(const std::string& text);
    // Both outputs to their ends, then the exit code.
    int finish();
    void signal(int number);
    void resize(unsigned short rows, unsigned short columns);

    std::string out, err;  // all that was heard

  private:
    void read_until(int fd, std::string& into, const std::optional<std::string>& text);

    Child child_;
    UniqueFd in_, out_, err_;
    bool terminal_ = false;
};

}  // namespace orlop::it
