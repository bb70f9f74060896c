// Who is attached to a container's output. Nothing is lost to a client that is slow, and the container waits
// for it as a pipe's writer waits for its reader; one that takes nothing for kStall is let go.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "base/event_loop.h"

namespace orlop::shim {

inline constexpr Millis kStall{60'000};
// What a client may be behind once its container has ended, bytes.
inline constexpr size_t kMaxBehind = 1u << 20;

class Clients {
  public:
    enum class Stream { Out, Err };

    // `on_room`: called when waiting() has become false.
    Clients(EventLoop& loop, std::function<void()> on_room) : loop_(loop), on_room_(std::move(on_room)) {}
    Clients(const Clients&) = delete;
    Clients& operator=(const Clients&) = delete;

    // Either of `out` and `err` may be empty. The client leaves by closing the other side of `control`.
    Status add(UniqueFd control, UniqueFd out, UniqueFd err);
    void write(Stream stream, std::string_view data);
    // Somebody has not taken all yet: no more should be written for now.
    bool waiting() const;
    bool empty() const { return clients_.empty(); }
    // Nothing follows: who has all is let go at once, the others when they have. Then `on_done`.
    void finish(std::function<void()> on_done);

  private:
    struct Side {
        UniqueFd fd;
        std::string pending;
        Watch watch;
    };
    struct Client {
        UniqueFd control;
        Side out, err;
        Watch left, stalled;
    };
    using At = std::list<Client>::iterator;
    void take(At client, Side& side, std::string_view data);
    void flush(At client, Side& side);
    void leave(At client);
    void settle(At client);

    EventLoop& loop_;
    std::function<void()> on_room_, on_done_;
    std::list<Client> clients_;
};

}  // namespace orlop::shim
