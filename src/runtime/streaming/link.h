// What a session sees of its client after the upgrade: channels of bytes both ways, over SPDY or WebSocket.
// All of it runs on the server's one I/O thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace orlop::streaming {

// SPDY: the stream's id. WebSocket: the channel's number.
using Channel = uint32_t;

class Link {
  public:
    virtual ~Link() = default;
    // At most room() bytes; a channel that the client has left takes and loses them.
    virtual void send(Channel channel, std::string_view bytes) = 0;
    virtual void finish(Channel channel) = 0;  // nothing more is sent on it
    virtual size_t room(Channel channel) const = 0;
    // So many received bytes are no longer held. Too many held ones stop the reading.
    virtual void taken(Channel channel, size_t bytes) = 0;
    // After all that was sent: the client may leave first, for a bounded time. Only gone() follows.
    virtual void close() = 0;
    virtual void abort() = 0;
};

// Never called from within a call of its own to the link, but for gone() from within abort().
class LinkUser {
  public:
    virtual ~LinkUser() = default;
    // A stream of SPDY; false refuses it.
    virtual bool opened(Channel channel, const std::map<std::string, std::string>& headers) = 0;
    virtual void received(Channel channel, std::string_view bytes) = 0;
    virtual void finished(Channel channel, bool both_ways) = 0;  // both ways: the client has reset it
    virtual void room_again() = 0;
    virtual void gone() = 0;  // the last call: the client left, was idle for too long, or has been left
};

}  // namespace orlop::streaming
