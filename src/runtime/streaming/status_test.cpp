#include "runtime/streaming/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace orlop::streaming {
namespace {

using Exit = Result<std::optional<int32_t>>;

TEST(Status, IsWhatTheKubernetesApiSaysOfEachEnd) {
    EXPECT_EQ(status_json(Exit(std::optional(0))), R"({"metadata":{},"status":"Success"})");
    EXPECT_EQ(status_json(Exit(std::nullopt)), R"({"metadata":{},"status":"Success"})");
    EXPECT_EQ(nlohmann::json::parse(status_json(Exit(std::optional(137)))), nlohmann::json::parse(R"({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": "command terminated with non-zero exit code: 137",
        "details": {"causes": [{"reason": "ExitCode", "message": "137"}]}})"));
    EXPECT_EQ(nlohmann::json::parse(status_json(Exit(Error::failed("no such file")))),
              nlohmann::json::parse(R"({
        "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
        "message": "Internal error occurred: error executing command in container: no such file",
        "details": {"causes": [{"message": "no such file"}]}})"));
}

TEST(Status, OfOldProtocolsIsTextAndOnlyOfFailures) {
    EXPECT_EQ(status_text(Exit(std::optional(0))), "");
    EXPECT_EQ(status_text(Exit(std::optional(2))), "command terminated with non-zero exit code: 2");
}

TEST(Status, IsJsonWhateverTheErrorHolds) {
    EXPECT_FALSE(nlohmann::json::parse(status_json(Exit(Error::failed("\xff\x00\"")))).empty());
}

}  // namespace
}  // namespace orlop::streaming
