// A process held so that its number cannot be taken for another one's: a pidfd (Linux 5.3), before that its
// directory in /proc, which stays that of the same process.
#pragma once

#include <sys/types.h>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop {

class ProcessHandle {
  public:
    ProcessHandle() = default;
    // NotFound when there is no such process.
    static Result<ProcessHandle> open(pid_t pid);

    explicit operator bool() const { return pid_ > 0; }
    pid_t pid() const { return pid_; }
    // NotFound when it has ended meanwhile.
    Status signal(int number) const;
    // Until it has ended (a zombie has); TimedOut at the deadline.
    Status wait_end(Nanos timeout) const;
    // Becomes readable at the end; -1 on kernels without pidfds.
    int pollable() const { return has_pidfd_ ? fd_.get() : -1; }

  private:
    bool ended() const;
    pid_t pid_ = -1;
    bool has_pidfd_ = false;
    UniqueFd fd_;
};

}  // namespace orlop
