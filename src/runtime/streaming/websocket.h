// Beast's WebSocket over a client's socket.
#pragma once

#include <boost/beast/websocket.hpp>

#include "runtime/streaming/client_stream.h"

namespace orlop::streaming {

using WebSocket = beast::websocket::stream<ClientStream&>;

}  // namespace orlop::streaming
