#include "runtime/core/error_map.h"

namespace orlop::core {

grpc::StatusCode code_of(Kind kind) {
    switch (kind) {
        case Kind::Failed:
            return grpc::StatusCode::UNKNOWN;
        case Kind::NotFound:
            return grpc::StatusCode::NOT_FOUND;
        case Kind::Invalid:
            return grpc::StatusCode::INVALID_ARGUMENT;
        case Kind::Exists:
            return grpc::StatusCode::ALREADY_EXISTS;
        case Kind::Unavailable:
            return grpc::StatusCode::UNAVAILABLE;
        case Kind::TimedOut:
            return grpc::StatusCode::DEADLINE_EXCEEDED;
        case Kind::Exhausted:
            return grpc::StatusCode::RESOURCE_EXHAUSTED;
        case Kind::Precondition:
            return grpc::StatusCode::FAILED_PRECONDITION;
        case Kind::Unimplemented:
            return grpc::StatusCode::UNIMPLEMENTED;
    }
    return grpc::StatusCode::UNKNOWN;
}

grpc::Status to_grpc(const Error& error) {
    return {code_of(error.kind()), error.what()};
}

Error not_of_the_object(Error error) {
    if (error.kind() != Kind::NotFound && error.kind() != Kind::Exists) return error;
    return {Kind::Failed, error.what(), error.errnum()};
}

}  // namespace orlop::core
