#include "runtime/oci/status.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace orlop::oci {
namespace {

Record with_pid(pid_t pid) {
    Record record;
    record.pid = pid;
    return record;
}

TEST(Decide, GoesByTheRecordAndTheKernelsSigns) {
    const struct {
        const char* name;
        pid_t pid;
        Signs signs;
        State expected;
    } rows[] = {
        {"being created", 0, {.in_use = true}, State::Creating},
        {"its creator was killed", 0, {}, State::Stopped},
        {"waits at its gate", 7, {.alive = true, .gate = true}, State::Created},
        {"runs", 7, {.alive = true}, State::Running},
        {"is frozen", 7, {.alive = true, .frozen = true}, State::Paused},
        {"frozen at its gate", 7, {.alive = true, .gate = true, .frozen = true}, State::Paused},
        {"has ended", 7, {}, State::Stopped},
        {"ended before it was started", 7, {.gate = true}, State::Stopped},
        {"another command is at work on a running one", 7, {.in_use = true, .alive = true}, State::Running},
    };
    for (const auto& row : rows) EXPECT_EQ(decide(with_pid(row.pid), row.signs), row.expected) << row.name;
}

TEST(ParseStat, IsNotMisledByTheProcessName) {
    const auto stat = parse_stat(
        "12 (a) R 1 2 (b) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 100 200 18446744073709551615");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->start, 4711u);
    EXPECT_EQ(stat->threads, 1u);
    EXPECT_FALSE(stat->exiting);
    EXPECT_FALSE(has_ended(*stat));
}

TEST(HasEnded, WaitsForTheLastThread) {
    EXPECT_TRUE(has_ended({.state = 'Z', .threads = 1}));
    EXPECT_TRUE(has_ended({.state = 'S', .exiting = true, .threads = 1}));
    EXPECT_FALSE(has_ended({.state = 'Z', .exiting = true, .threads = 2}));
    EXPECT_FALSE(has_ended({.state = 'D', .threads = 1}));
}

TEST(ParseStat, RefusesHalfALine) {
    for (const char* bad : {"", "12 (a)", "12 (a) ", "12 (a) S 1 2 3"}) EXPECT_FALSE(parse_stat(bad)) << bad;
}

TEST(OpenFirstProcess, FindsALivingProcessAndNoReusedPid) {
    const auto stat = read_stat(getpid());
    ASSERT_TRUE(stat);
    Record record = with_pid(getpid());
    record.pid_start = stat->start;
    EXPECT_TRUE(open_first_process(record));
    record.pid_start += 1;
    EXPECT_FALSE(open_first_process(record));
}

}  // namespace
}  // namespace orlop::oci
