#include "runtime/core/error_map.h"

#include <gtest/gtest.h>

namespace orlop::core {
namespace {

TEST(ErrorMap, GivesEachKindItsCode) {
    const std::pair<Kind, grpc::StatusCode> table[] = {
        {Kind::Failed, grpc::StatusCode::UNKNOWN},
        {Kind::NotFound, grpc::StatusCode::NOT_FOUND},
        {Kind::Invalid, grpc::StatusCode::INVALID_ARGUMENT},
        {Kind::Exists, grpc::StatusCode::ALREADY_EXISTS},
        {Kind::Unavailable, grpc::StatusCode::UNAVAILABLE},
        {Kind::TimedOut, grpc::StatusCode::DEADLINE_EXCEEDED},
        {Kind::Exhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
        {Kind::Precondition, grpc::StatusCode::FAILED_PRECONDITION},
        {Kind::Unimplemented, grpc::StatusCode::UNIMPLEMENTED},
    };
    for (const auto& [kind, code] : table) EXPECT_EQ(code_of(kind), code);
}

TEST(ErrorMap, KeepsTheWholeChainAsMessage) {
    const grpc::Status status = to_grpc(Error::invalid("no name").under("sandbox"));
    EXPECT_EQ(status.error_message(), "sandbox: no name");
}

TEST(ErrorMap, AMissingFileIsNotAMissingContainer) {
    const Status failed = inner(Status(Error::sys("open /bin/x", ENOENT)));
    EXPECT_EQ(failed.error().kind(), Kind::Failed);
    EXPECT_EQ(failed.error().errnum(), ENOENT);
    EXPECT_EQ(inner(Status(Error::timed_out("late"))).error().kind(), Kind::TimedOut);
}

}  // namespace
}  // namespace orlop::core
