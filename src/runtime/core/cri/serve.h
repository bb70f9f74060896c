// The edge between handlers and gRPC: every call is logged here, once, and nowhere below.
#pragma once

#include <grpcpp/server_context.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

// How long a call may wait for another: until shortly before its client gives up, two minutes at most.
inline Nanos patience(const grpc::ServerContext& context) {
    using std::chrono::system_clock;
    const auto left = std::chrono::duration_cast<Nanos>(context.deadline() - system_clock::now());
    const Nanos margin = std::chrono::milliseconds(200);
    return std::clamp<Nanos>(left - margin, Nanos(0), std::chrono::minutes(2));
}

// `work` returns a Status.
template <class Work>
grpc::Status serve(const char* rpc, Work&& work) {
    const auto begin = std::chrono::steady_clock::now();
    const Status done = work();
    const auto took = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin).count();
    if (done) {
        spdlog::debug("{}: ok, {} ms", rpc, took);
        return grpc::Status::OK;
    }
    spdlog::warn("{}: {} ({} ms)", rpc, done.error().what(), took);
    return to_grpc(done.error());
}

// `work` returns a Result of the response.
template <class Response, class Work>
grpc::Status serve_into(const char* rpc, Response* response, Work&& work) {
    return serve(rpc, [&]() -> Status {
        *response = TRY(work());
        return ok();
    });
}

}  // namespace orlop::core
