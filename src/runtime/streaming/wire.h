// A two-way flow of bytes to a client after the upgrade: its socket, or binary messages of a WebSocket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/streaming/client_stream.h"
#include "runtime/streaming/websocket.h"

namespace orlop::streaming {

// One read and one write at a time; the buffers stay the caller's until the handler is called.
class Wire {
  public:
    using Handler = std::function<void(Code, size_t)>;
    virtual ~Wire() = default;
    virtual void read(asio::mutable_buffer into, Handler handler) = 0;
    virtual void write(std::string_view bytes, Handler handler) = 0;  // all of them
    virtual void finish(Handler handler) = 0;                         // nothing more is written
    virtual ClientStream& stream() = 0;
};

std::unique_ptr<Wire> socket_wire(std::unique_ptr<ClientStream> stream);
std::unique_ptr<Wire> websocket_wire(std::unique_ptr<ClientStream> stream, std::unique_ptr<WebSocket> socket);

}  // namespace orlop::streaming
