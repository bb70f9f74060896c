// What the streaming server's clients are connected to: processes by way of the pod's shim, ports by way of
// the pod's network namespace.
#pragma once

#include "runtime/core/parts.h"
#include "runtime/streaming/backend.h"

namespace orlop::core {

class StreamingBackend final : public streaming::Backend {
  public:
    explicit StreamingBackend(Parts& parts) : parts_(parts) {}
    Result<std::unique_ptr<streaming::Session>> exec(const streaming::ExecRequest& request) override;
    Result<std::unique_ptr<streaming::Session>> attach(const streaming::AttachRequest& request) override;
    Result<UniqueFd> dial(const std::string& sandbox, uint16_t port) override;

  private:
    Parts& parts_;
};

// port.cpp: a connection to localhost:port as seen from inside `netns` ("" = the host's).
Result<UniqueFd> dial_in(const std::string& netns, uint16_t port, Nanos timeout);

}  // namespace orlop::core
