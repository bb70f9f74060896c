// A daemon under test: its process, its log, and what it costs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/spawn.h"
#include "harness/place.h"

namespace orlop::it {

class Process {
  public:
    // Both outputs are appended to `log`.
    Status start(const std::vector<std::string>& argv, const std::string& log);
    ~Process();

    pid_t pid() const { return child_.pid; }
    bool running() const { return child_.pid > 0; }
    // Looks whether it has ended by itself; then it is no longer running().
    bool ended();
    // Sends the signal, waits for the end, and gives the exit code (128+n for death by signal n).
    Result<int> end(int signal, std::chrono::seconds limit);
    // Waits for an end of its own.
    Result<int> wait(std::chrono::seconds limit);

  private:
    Child child_;
};

// What a process holds; of /proc/<pid>.
struct Footprint {
    int fds = 0;
    int threads = 0;
    long rss_kib = 0;
};
Footprint footprint(pid_t pid);

// Runs a program to its end with the test's environment plus `env`; a deadline is a failure of the test.
struct Reply {
    int code = -1;
    std::string out, err;
    bool ok() const { return code == 0; }
};
Reply run(std::vector<std::string> argv, std::vector<std::string> env = {},
          std::chrono::seconds limit = scaled(60));

}  // namespace orlop::it
