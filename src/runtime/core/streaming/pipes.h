// Pipes between a process and the streaming server.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop::core {

struct Pipe {
    UniqueFd ours, theirs;  // ours does not block; theirs is as a process expects it
};

enum class Direction { ToProcess, FromProcess };

inline Result<Pipe> open_pipe(Direction direction) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return Error::sys("pipe2");
    UniqueFd read(fds[0]);
    UniqueFd write(fds[1]);
    Pipe pipe = direction == Direction::ToProcess ? Pipe{std::move(write), std::move(read)}
                                                  : Pipe{std::move(read), std::move(write)};
    if (fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("fcntl");
    return pipe;
}

}  // namespace orlop::core
