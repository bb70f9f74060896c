// The CRI over gRPC on a unix socket.
#pragma once

#include <memory>
#include <string>

#include "agent/act/cri.h"
#include "base/clock.h"

namespace orlop::agent {

struct CriEndpoints {
    std::string runtime;  // unix:///path or /path
    std::string images;   // empty: the same
    Nanos timeout{std::chrono::minutes(2)};
    Nanos pull_timeout{std::chrono::minutes(15)};
};

// Connects lazily and again by itself; a runtime that is not there makes each call Unavailable at once.
class GrpcCri {
  public:
    explicit GrpcCri(const CriEndpoints& endpoints);
    ~GrpcCri();
    Cri calls();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace orlop::agent
