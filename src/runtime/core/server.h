// The gRPC server on its unix socket.
//
// It is the synchronous one: each call holds a thread for as long as it lasts (a StopContainer for its grace
// period, an ExecSync, an event stream). There are at most kMaxThreads; a call beyond them is answered
// ResourceExhausted. Idle threads end, so that a quiet node has two.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::core {

inline constexpr int kMaxThreads = 256;
inline constexpr int kMaxMessage = 64 << 20;  // bytes; the CRI asks for 16 MiB at least

// The socket is root's, 0660.
Result<std::unique_ptr<grpc::Server>> start_server(const std::string& socket,
                                                   const std::vector<grpc::Service*>& services);

}  // namespace orlop::core
