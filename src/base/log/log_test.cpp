#include "base/log/log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

namespace orlop {
namespace {

std::string logged(const LogOptions& options, const std::string& text) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(setup_logging(options));
    spdlog::warn(text);
    return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
  protected:
    void SetUp() override { unsetenv("JOURNAL_STREAM"); }
    void TearDown() override { unsetenv("JOURNAL_STREAM"); }
};

TEST_F(Log, ATextLineHasTimeLevelAndMessage) {
    const std::string line = logged({}, "disk is full");
    EXPECT_TRUE(
        std::regex_match(line, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z W disk is full\n)")))
        << line;
}

TEST_F(Log, AJsonLineIsOneObjectWhateverTheMessageHolds) {
    const std::string line = logged({.level = "info", .format = "json"}, "a \"quoted\"\nline\\");
    EXPECT_TRUE(std::regex_match(
        line,
        std::regex(
            R"re(\{"ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","level":"warning","msg":"a \\"quoted\\"\\u000aline\\\\"\}\n)re")))
        << line;
}

TEST_F(Log, OnTheJournalALineBeginsWithItsPriority) {
    setenv("JOURNAL_STREAM", "8:1", 1);
    EXPECT_EQ(logged({}, "careful"), "<4>careful\n");
}

TEST_F(Log, UnknownLevelsAndFormatsAreNamed) {
    EXPECT_EQ(setup_logging({.level = "loud"}).error().kind(), Kind::Invalid);
    EXPECT_NE(setup_logging({.level = "info", .format = "xml"}).error().what().find("\"xml\""),
              std::string::npos);
}

}  // namespace
}  // namespace orlop
