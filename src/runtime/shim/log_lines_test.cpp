#include "runtime/shim/log_lines.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/dir.h"

namespace orlop::shim {
namespace {

constexpr Nanos kNow = std::chrono::seconds(1'700'000'000) + Nanos(7);
const std::string kStamp = "2023-11-14T22:13:20.000000007Z stdout ";

std::string cut(std::initializer_list<std::string_view> pieces) {
    LineCutter cutter("stdout");
    std::string out;
    for (const std::string_view piece : pieces) cutter.feed(piece, kNow, out);
    cutter.flush(kNow, out);
    return out;
}

TEST(LineCutter, WholeLinesAreFullRecords) {
    EXPECT_EQ(cut({"one\ntwo\n"}), kStamp + "F one\n" + kStamp + "F two\n");
    EXPECT_EQ(cut({"\n"}), kStamp + "F \n");
    EXPECT_EQ(cut({""}), "");
}

TEST(LineCutter, ALineInPiecesIsOneRecord) {
    EXPECT_EQ(cut({"a", "b", "c\nd\n"}), kStamp + "F abc\n" + kStamp + "F d\n");
}

TEST(LineCutter, WhatHasNoNewlineAtTheEndIsPartial) {
    EXPECT_EQ(cut({"tail"}), kStamp + "P tail\n");
}

TEST(LineCutter, LongLinesAreCutAt16KiB) {
    const std::string exact(kMaxLogLine, 'x');
    EXPECT_EQ(cut({exact + "\n"}), kStamp + "F " + exact + "\n");
    EXPECT_EQ(cut({exact + "y\n"}), kStamp + "P " + exact + "\n" + kStamp + "F y\n");
    EXPECT_EQ(cut({exact, exact, "z\n"}),
              kStamp + "P " + exact + "\n" + kStamp + "P " + exact + "\n" + kStamp + "F z\n");
}

TEST(LineCutter, EveryCutOfTheInputGivesTheSameContent) {
    std::string input;
    for (int i = 0; i < 200; ++i)
        input += "line " + std::to_string(i) + std::string(static_cast<size_t>(i), '.') + "\n";
    const std::string whole = cut({input});
    for (const size_t step : {1u, 3u, 17u, 1000u}) {
        LineCutter cutter("stdout");
        std::string out;
        for (size_t at = 0; at < input.size(); at += step)
            cutter.feed(std::string_view(input).substr(at, step), kNow, out);
        EXPECT_EQ(out, whole) << step;
    }
}

TEST(LogFile, AppendsReopensAfterARenameAndIsPrivate) {
    std::string dir = "/tmp/orlop-log-XXXXXX";
    ASSERT_NE(mkdtemp(dir.data()), nullptr);
    const std::string path = dir + "/0.log";
    auto log = LogFile::open(path);
    ASSERT_TRUE(log);
    ASSERT_TRUE(log->append("a\n"));
    struct stat st {};
    ASSERT_EQ(stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0640u);
    std::filesystem::rename(path, path + ".1");
    ASSERT_TRUE(log->append("b\n"));
    ASSERT_TRUE(log->reopen());
    ASSERT_TRUE(log->append("c\n"));
    EXPECT_EQ(read_file(path + ".1").value(), "a\nb\n");
    EXPECT_EQ(read_file(path).value(), "c\n");
    std::filesystem::remove_all(dir);
}

TEST(LogFile, FollowsNoLinkBelowThePodsDirectory) {
    std::string base = "/tmp/orlop-log-XXXXXX";
    ASSERT_NE(mkdtemp(base.data()), nullptr);
    const std::string pod = base + "/pod";
    std::filesystem::create_directories(pod + "/real");
    std::filesystem::create_directory(base + "/host");
    std::filesystem::create_directory_symlink(base + "/host", pod + "/absolute");
    std::filesystem::create_directory_symlink("real", pod + "/inside");
    for (const char* name : {"/absolute/0.log", "/inside/0.log"}) {
        EXPECT_FALSE(LogFile::open(pod + name, pod)) << name;
    }
    EXPECT_TRUE(LogFile::open(pod + "/real/0.log", pod));
    auto log = LogFile::open(pod + "/real/1.log", pod);
    ASSERT_TRUE(log);
    std::filesystem::remove_all(pod + "/real");
    std::filesystem::create_directory_symlink(base + "/host", pod + "/real");
    EXPECT_FALSE(log->reopen());
    EXPECT_TRUE(std::filesystem::is_empty(base + "/host"));
    std::filesystem::remove_all(base);
}

TEST(LogFile, ADiskThatFillsUpInTheMiddleLeavesNoTornRecord) {
    std::string dir = "/tmp/orlop-log-XXXXXX";
    ASSERT_NE(mkdtemp(dir.data()), nullptr);
    auto log = LogFile::open(dir + "/0.log");
    ASSERT_TRUE(log);
    ASSERT_TRUE(log->append("whole\n"));
    // setrlimit(2): the write that crosses the limit is short and the next one fails, as on a full disk.
    signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{10, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto r = log->append("does not fit\n");
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().errnum(), EFBIG);
    ASSERT_TRUE(log->append("again\n"));
    EXPECT_EQ(read_file(dir + "/0.log").value(), "whole\nagain\n");
    std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace orlop::shim
