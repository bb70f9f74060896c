// The messages of protocol_order.h, and the child's end of the conversation.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/protocol_order.h"

namespace orlop::launch {

struct Message {
    Word word = Word::Failed;
    std::string text;   // State: the JSON; Failed: what
    Identity identity;  // Created, Exec
    pid_t pid = -1;     // Born
    Kind kind = Kind::Failed;
    int32_t errnum = 0;
    UniqueFd fd;  // Terminal
};

Status send_message(int socket, const Message& message);
// The next packet, waiting at most `timeout` (negative = as long as it takes, zero = not at all:
// Unavailable). NotFound at the end of the conversation.
Result<Message> receive_message(int socket, Nanos timeout);

// The child's end of it.
class Channel {
  public:
    explicit Channel(int socket) : socket_(socket) {}
    int fd() const { return socket_; }
    Status wait_go() const;
    // The parent may be in another pid namespace, where the number is another: the pidfd, if there is one,
    // counts.
    Status born(pid_t pid, UniqueFd pidfd) const;
    // Says 'H', waits for 'S', gives the state.
    Result<std::string> hooks() const;
    Status terminal(UniqueFd master) const;
    // Says 'C', waits for somebody to open the gate and goes on with them.
    Status created(const Identity& identity, int gate);
    void exec(const Identity& identity) const;
    // A parent that is gone cannot be told; the child's fate is then its own.
    void failed(const Error& error) const;

  private:
    int socket_;
};

}  // namespace orlop::launch
