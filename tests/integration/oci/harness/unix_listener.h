// A socket that a runtime sends a descriptor to: the console's master, or seccomp's listener.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop::it {

class UnixListener {
  public:
    // At most 107 bytes of path, as unix(7) says.
    explicit UnixListener(const std::string& path);

    struct Message {
        std::string text;
        std::vector<UniqueFd> fds;
    };
    // The first message of the first connection; within the place's deadline.
    Result<Message> receive();

  private:
    UniqueFd socket_;
};

// Reads until the text has come or the deadline passes; everything that came.
std::string read_until(int fd, const std::string& text);

}  // namespace orlop::it
