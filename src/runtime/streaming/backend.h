// What the streaming server connects its clients to. The daemon implements it; tests have one of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop::streaming {

struct ExecRequest {
    std::string container;
    std::vector<std::string> command;
    bool tty = false, in = false, out = false, err = false;
};
struct AttachRequest {
    std::string container;
    bool tty = false, in = false, out = false, err = false;
};
struct PortForwardRequest {
    std::string sandbox;
};

// The process's side of an exec or attach. Destroying it is the client's hang-up: an exec is killed with all
// it started, an attached container runs on.
class Session {
  public:
    virtual ~Session() = default;

    // The streams, taken once; non-blocking pipes or stream sockets. A stream that was not asked for is
    // empty. With a terminal all output comes by `out`. Closing `in` is the end of input.
    struct Streams {
        UniqueFd in, out, err;
    };
    virtual Streams take_streams() = 0;

    virtual Status resize(uint16_t width, uint16_t height) = 0;  // characters

    // Readable once the process has ended (an attach: the container, or its log is at its end).
    virtual int ended() const = 0;
    // After that: 128+n for death by signal n; an attach has none. An Error when it cannot be known.
    virtual Result<std::optional<int32_t>> exit_code() const = 0;
};

// Called on the server's worker threads; each may block until the process runs.
class Backend {
  public:
    virtual ~Backend() = default;
    virtual Result<std::unique_ptr<Session>> exec(const ExecRequest& request) = 0;
    virtual Result<std::unique_ptr<Session>> attach(const AttachRequest& request) = 0;
    // A connection to localhost:port inside the pod's network namespace, 127.0.0.1 before ::1; a non-blocking
    // stream socket.
    virtual Result<UniqueFd> dial(const std::string& sandbox, uint16_t port) = 0;
};

}  // namespace orlop::streaming
