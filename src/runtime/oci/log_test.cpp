#include "runtime/oci/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/dir.h"

namespace orlop::oci {
namespace {

TEST(LogLine, IsWhatPodmanAndContainerdParse) {
    const auto json = nlohmann::json::parse(log_line(true, "error", "a \"b\"\nc", "2026-01-02T03:04:05Z"));
    EXPECT_EQ(json,
              (nlohmann::json{{"level", "error"}, {"msg", "a \"b\"\nc"}, {"time", "2026-01-02T03:04:05Z"}}));
    EXPECT_EQ(log_line(false, "warning", "x \"y\"", "T"), "time=\"T\" level=warning msg=\"x \\\"y\\\"\"\n");
}

TEST(LogLine, BearsBytesThatAreNoUtf8) {
    EXPECT_TRUE(nlohmann::json::accept(log_line(true, "error", "\xff", "T")));
}

TEST(Log, AppendsToItsFile) {
    const std::string path = "/tmp/orlop-oci-log-test-" + std::to_string(getpid());
    const Log log({.path = path, .json = true});
    log.warning("one");
    log.warning("two");
    log.debug("not told");
    const auto text = read_file(path);
    unlink(path.c_str());
    ASSERT_TRUE(text);
    EXPECT_EQ(std::count(text->begin(), text->end(), '\n'), 2);
    EXPECT_LT(text->find("one"), text->find("two"));
}

}  // namespace
}  // namespace orlop::oci
