// The HTTP server behind the URLs that Exec, Attach and PortForward answer with: SPDY/3.1 (v1..v4 of
// channel.k8s.io) and WebSocket (v5, v4, base64; tunnelled port-forward).
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/streaming/backend.h"

namespace orlop::streaming {

struct ServerOptions {
    std::string address = "127.0.0.1";
    uint16_t port = 0;  // 0: the kernel's choice
    // PEM files; both or none. Then the URLs are https.
    std::string tls_certificate, tls_key;
    Nanos idle_timeout = std::chrono::hours(4);         // no byte in either direction
    Nanos creation_timeout = std::chrono::seconds(30);  // from the upgrade until every stream is there
    Nanos token_lifetime = std::chrono::minutes(1);
    size_t max_tokens = 1000;
};

class Server {
  public:
    // Listens and serves on threads of its own, until it is destroyed.
    static Result<std::unique_ptr<Server>> start(ServerOptions options, Backend& backend, const Clock& clock);
    virtual ~Server() = default;

    // The URL for one use of the request: http://127.0.0.1:PORT/exec/<token>. Exhausted when max_tokens are
    // waiting. Invalid: no stream at all, or stderr with a terminal.
    virtual Result<std::string> url(ExecRequest request) = 0;
    virtual Result<std::string> url(AttachRequest request) = 0;
    virtual Result<std::string> url(PortForwardRequest request) = 0;
    virtual uint16_t port() const = 0;
};

}  // namespace orlop::streaming
