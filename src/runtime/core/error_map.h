// The one place where our error kinds become gRPC codes.
#pragma once

#include <grpcpp/support/status.h>

#include "base/result.h"

namespace orlop::core {

grpc::StatusCode code_of(Kind kind);
grpc::Status to_grpc(const Error& error);

// Clients take NotFound as "the named sandbox or container is gone". A NotFound of anything else (a program,
// a plugin, a file) must not reach them as such: it becomes Failed. Exists likewise.
Error not_of_the_object(Error error);

template <class T>
Result<T> inner(Result<T> result) {
    if (result) return result;
    return not_of_the_object(std::move(result).error());
}

}  // namespace orlop::core
