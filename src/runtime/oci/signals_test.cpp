#include "runtime/oci/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace orlop::oci {
namespace {

TEST(ParseSignal, KnowsNamesNumbersAndRealTimeSignals) {
    const std::pair<const char*, int> rows[] = {
        {"TERM", SIGTERM},  {"SIGTERM", SIGTERM}, {"sigkill", SIGKILL}, {"9", 9},           {"0", 0},
        {"64", 64},         {"CLD", SIGCHLD},     {"IO", SIGIO},        {"IOT", SIGABRT},   {"RTMIN", 34},
        {"SIGRTMIN+3", 37}, {"RTMAX-1", 63},      {"SIGRTMAX", 64},     {"winch", SIGWINCH}};
    for (const auto& [text, number] : rows) {
        const auto parsed = parse_signal(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(*parsed, number) << text;
    }
}

TEST(ParseSignal, RefusesWhatIsNone) {
    for (const char* bad : {"", "SIG", "FOO", "65", "-1", "9x", "RTMIN-1", "RTMAX+1", "RTMIN+99", "RTMIN+"}) {
        EXPECT_FALSE(parse_signal(bad)) << bad;
    }
}

}  // namespace
}  // namespace orlop::oci
