#include "cli/table.h"

#include <gtest/gtest.h>

namespace orlop::cli {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Table, AlignsColumnsAndLeavesNoTrailingBlanks) {
    EXPECT_EQ(render_table({{"NAME", "IP"}, {"web-node", "10.0.0.2"}, {"é", "<none>"}}),
              "NAME       IP\n"
              "web-node   10.0.0.2\n"
              "é          <none>\n");
}

TEST(Table, ControlCharactersDoNotReachTheTerminal) {
    EXPECT_EQ(render_table({{"a\x1b[2J", "b\nc"}}), "a?[2J   b c\n");
}

TEST(Table, AgesAreShort) {
    struct Row {
        Nanos age;
        const char* text;
    };
    const Row rows[] = {
        {seconds(-5), "0s"},        {seconds(0), "0s"},
        {seconds(119), "119s"},     {seconds(120), "2m"},
        {seconds(200), "3m20s"},    {minutes(10), "10m"},
        {minutes(179), "179m"},     {hours(3), "3h"},
        {minutes(200), "3h20m"},    {hours(9), "9h"},
        {hours(47), "47h"},         {hours(48), "2d"},
        {hours(51), "2d3h"},        {hours(24 * 9), "9d"},
        {hours(24 * 800), "2y70d"}, {hours(24 * 365 * 9), "9y"},
    };
    for (const Row& row : rows) EXPECT_EQ(human_age(row.age), row.text);
}

TEST(Table, SizesArePowersOfAThousand) {
    struct Row {
        uint64_t bytes;
        const char* text;
    };
    const Row rows[] = {{0, "0B"},
                        {999, "999B"},
                        {1000, "1.0kB"},
                        {4'240'000, "4.2MB"},
                        {31'200'000, "31MB"},
                        {312'000'000, "312MB"},
                        {999'999, "1.0MB"},
                        {5'000'000'000, "5.0GB"}};
    for (const Row& row : rows) EXPECT_EQ(human_bytes(row.bytes), row.text) << row.bytes;
}

TEST(Table, BarsShowThePartThatIsDone) {
    EXPECT_EQ(bar(0, 10, 4), "[....]");
    EXPECT_EQ(bar(5, 10, 4), "[##..]");
    EXPECT_EQ(bar(20, 10, 4), "[####]");
    EXPECT_EQ(bar(5, 0, 4), "[....]");
}

TEST(Table, IdsAreCutToTwelveDigits) {
    EXPECT_EQ(short_id("sha256:0123456789abcdef"), "0123456789ab");
    EXPECT_EQ(short_id("0123"), "0123");
}

}  // namespace
}  // namespace orlop::cli
