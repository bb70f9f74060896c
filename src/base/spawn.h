// Starting programs by posix_spawn(3): no code of ours runs between fork and exec, so threads are safe.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop {

struct SpawnSpec {
    std::vector<std::string> argv;  // argv[0] is the path of the program, unless `program` is given
    std::vector<std::string> env;   // the whole environment, KEY=VALUE
    std::vector<std::pair<int, int>>
        fds;                   // {ours, the child's}; all others are CLOEXEC; 0,1,2 default to /dev/null
    bool new_session = false;  // setsid; otherwise the child leads its own process group
    std::string program = {};  // path, when argv[0] is something else
};

struct Child {
    pid_t pid = -1;
    UniqueFd pidfd;
};

Result<Child> spawn(const SpawnSpec& spec);

// Waits for a child that has exited or will; the wait status as waitpid(2) gives it. Deadline: negative =
// none.
Result<int> wait_child(const Child& child, Nanos timeout);

struct CommandResult {
    int status = 0;  // wait status
    std::string out;
    std::string err;
    bool succeeded() const { return status == 0; }
    int exit_code() const;  // 128+n for death by signal n
};

// Runs to the end with `input` on stdin; each output at most 16 MiB. At the deadline the child's process
// group is killed and the error's kind is TimedOut.
Result<CommandResult> run_command(SpawnSpec spec, std::string_view input, Nanos timeout);

// The caller's environment as a vector.
std::vector<std::string> current_env();

}  // namespace orlop
