#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/log_files.h"
#include "cli/log_lines.h"
#include "cli/log_reader.h"
#include "cli/test_support.h"

namespace orlop::cli {
namespace {

using test::TempDir;
using testing::HasSubstr;

constexpr const char* kT = "2026-01-02T03:04:05.000000006Z ";

std::string record(const std::string& rest) {
    return kT + rest;
}

TEST(LogLines, PartsOfALineAreJoinedPerStream) {
    LineJoiner joiner(false);
    EXPECT_EQ(joiner.add(record("stdout F whole")), "whole\n");
    EXPECT_EQ(joiner.add(record("stdout P begins ")), "");
    EXPECT_EQ(joiner.add(record("stderr F other")), "other\n");
    EXPECT_EQ(joiner.add(record("stdout P goes on ")), "");
    EXPECT_EQ(joiner.add(record("stdout F ends")), "begins goes on ends\n");
    EXPECT_EQ(joiner.add(record("stdout F ")), "\n");
    EXPECT_EQ(joiner.add(record("stdout P no end")), "");
    EXPECT_EQ(joiner.rest(), "no end\n");
    EXPECT_EQ(joiner.rest(), "");
}

TEST(LogLines, TimestampsStandOnceBeforeALine) {
    LineJoiner joiner(true);
    EXPECT_EQ(joiner.add(record("stdout P a")), "");
    EXPECT_EQ(joiner.add("2027-01-01T00:00:00.0Z stdout F b"), std::string(kT) + "ab\n");
}

TEST(LogLines, LinesWithoutEndDoNotGrowForever) {
    LineJoiner joiner(true);
    const std::string part = record("stdout P " + std::string(1 << 20, 'x'));
    EXPECT_EQ(joiner.add(part).size(), std::string(kT).size() + (1 << 20));
    EXPECT_EQ(joiner.add(record("stdout F end")), "end\n");
}

TEST(LogLines, WhatIsNotOfTheFormatIsPrintedAsItIs) {
    LineJoiner joiner(false);
    for (const char* text : {"", "garbage", "a b c d", "2026 stdout X text", "2026 stdlog F text"})
        EXPECT_EQ(joiner.add(text), std::string(text) + "\n");
}

TEST(LogLines, TailCountsLinesNotRecords) {
    const std::string log = record("stdout F one\n") + record("stdout P two-\n") + record("stdout F two\n") +
                            record("stdout F three\n");
    const auto from = [&log](int64_t lines) {
        return log.substr(static_cast<size_t>(tail_offset(log, lines)));
    };
    EXPECT_EQ(from(0), "");
    EXPECT_EQ(from(1), record("stdout F three\n"));
    EXPECT_EQ(from(2), log.substr(log.find(record("stdout P"))));
    EXPECT_EQ(tail_offset(log, 3), -1);
    EXPECT_EQ(tail_offset("", 3), -1);
}

TEST(LogReader, TailOfALongLogReadsOnlyItsEnd) {
    const TempDir dir;
    std::string log;
    for (int i = 0; i < 20000; ++i) log += record("stdout F line " + std::to_string(i) + "\n");
    test::write_text(dir / "0.log", log);
    for (const int64_t lines : {1, 5000, 19999, 20000, 30000}) {
        auto fd = open_log_at_tail(dir / "0.log", lines);
        ASSERT_TRUE(fd) << fd.error().what();
        std::string out;
        LogReader reader(dir / "0.log", std::move(*fd), false,
                         [&out](const std::string& text) { out += text; });
        ASSERT_TRUE(reader.read_on());
        EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), std::min<int64_t>(lines, 20000));
        EXPECT_THAT(out, HasSubstr("line 19999\n"));
    }
}

TEST(LogReader, RotationLosesNothing) {
    const TempDir dir;
    const std::string path = dir / "0.log";
    test::write_text(path, record("stdout F 1\n"));
    auto fd = open_log_at_tail(path, -1);
    ASSERT_TRUE(fd);
    std::string out;
    LogReader reader(path, std::move(*fd), false, [&out](const std::string& text) { out += text; });
    ASSERT_TRUE(reader.read_on());
    std::filesystem::rename(path, path + ".20260102-030405");
    ASSERT_TRUE(reader.read_on());  // the new file is not there yet
    test::write_text(path + ".20260102-030405", record("stdout F 2\n"), true);
    test::write_text(path, record("stdout F 3\n") + record("stdout F "));
    ASSERT_TRUE(reader.read_on());
    EXPECT_EQ(out, "1\n2\n3\n");
    test::write_text(path, "4\n", true);
    ASSERT_TRUE(reader.read_on());
    EXPECT_EQ(out, "1\n2\n3\n4\n");
}

LoggedContainer logged(const std::string& ns, const std::string& pod, const std::string& uid,
                       const std::string& name, uint32_t attempt = 0, int64_t created = 1) {
    LoggedContainer out;
    out.ns = ns;
    out.pod = pod;
    out.pod_uid = uid;
    out.name = name;
    out.attempt = attempt;
    out.created = created;
    return out;
}

TEST(LogFiles, ChoosesTheContainerThatIsMeant) {
    const std::vector<LoggedContainer> all = {logged("default", "web-node", "1", "httpd", 0),
                                              logged("default", "web-node", "1", "httpd", 2),
                                              logged("default", "two", "2", "a"),
                                              logged("default", "two", "2", "b"),
                                              logged("kube-system", "dup", "3", "x"),
                                              logged("default", "dup", "4", "x"),
                                              logged("default", "again", "5", "old", 7, 10),
                                              logged("default", "again", "6", "new", 0, 20)};
    struct Row {
        const char* pod;
        const char* container;
        const char* want;  // container and attempt, or a part of the error
    };
    const Row rows[] = {
        {"web-node", "", "httpd 2"},
        {"web", "", "httpd 2"},
        {"default/web", "httpd", "httpd 2"},
        {"two", "b", "b 0"},
        {"two", "", "several containers (a, b): choose one with -c"},
        {"two", "c", "no container \"c\"; it has a, b"},
        {"nope", "", "no pod \"nope\""},
        {"other/web", "", "no pod \"other/web\""},
        {"dup", "", "several namespaces (default, kube-system)"},
        {"kube-system/dup", "", "x 0"},
        {"again", "", "new 0"},
    };
    for (const Row& row : rows) {
        LogsOptions options;
        options.pod = row.pod;
        options.container = row.container;
        const auto got = choose_container(all, options, "node");
        EXPECT_THAT(got ? got->name + " " + std::to_string(got->attempt) : got.error().what(),
                    HasSubstr(row.want));
    }
}

TEST(LogFiles, AreFoundOnDiskWithoutARuntime) {
    const TempDir dir;
    for (const char* sub : {"default_web-node_uid1/httpd", "default_web-node_uid1/empty", "strange"})
        std::filesystem::create_directories(dir / sub);
    for (const char* file : {"0.log", "1.log", "0.log.20260102-030405", "x.log"})
        test::write_text(dir / (std::string("default_web-node_uid1/httpd/") + file), "");
    const auto found = logged_containers_on_disk(dir.path());
    ASSERT_TRUE(found) << found.error().what();
    ASSERT_EQ(found->size(), 1U);
    const LoggedContainer& c = found->front();
    EXPECT_EQ(c.path, dir / "default_web-node_uid1/httpd/1.log");
    EXPECT_EQ(c.attempt, 1U);
    EXPECT_EQ(c.pod_uid, "uid1");
    EXPECT_EQ(previous_log(c).value_or("none"), dir / "default_web-node_uid1/httpd/0.log");
    LoggedContainer first = c;
    first.attempt = 0;
    EXPECT_FALSE(previous_log(first));
}

}  // namespace
}  // namespace orlop::cli
