#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>

#include "base/clock.h"
#include "base/dir.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "base/spawn.h"
#include "base/strong.h"
#include "base/undo.h"

namespace orlop {
namespace {

class Scratch {
  public:
    Scratch() {
        std::string path = "/tmp/orlop-base-XXXXXX";
        EXPECT_NE(mkdtemp(path.data()), nullptr);
        path_ = path;
    }
    ~Scratch() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

Result<int> half(int n) {
    if (n % 2 != 0) return Error::invalid("odd");
    return n / 2;
}

Result<int> quarter(int n) {
    return TRY(half(TRY(half(n))));
}

TEST(Result, TryReturnsTheFirstErrorWithItsContext) {
    EXPECT_EQ(quarter(8).value(), 2);
    const auto r = quarter(6).under("quarter of 6");
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().what(), "quarter of 6: odd");
    EXPECT_EQ(r.error().kind(), Kind::Invalid);
}

TEST(Result, ErrnoChoosesTheKind) {
    EXPECT_EQ(Error::sys("open x", ENOENT).kind(), Kind::NotFound);
    EXPECT_EQ(Error::sys("open x", ENOENT).what(), "open x: No such file or directory");
}

TEST(UndoStack, RunsEveryEntryInReverseEvenIfOneFails) {
    std::string order;
    UndoStack undo;
    undo.push("a", [&]() -> Status {
        order += 'a';
        return ok();
    });
    undo.push("b", [&]() -> Status {
        order += 'b';
        return Error::failed("no");
    });
    undo.push("c", [&]() -> Status {
        order += 'c';
        return Error::failed("never");
    });
    const auto r = undo.unwind();
    EXPECT_EQ(order, "cba");
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().what(), "undo c: never; also: undo b: no");
}

TEST(UndoStack, CommitKeepsTheWork) {
    bool undone = false;
    {
        UndoStack undo;
        undo.push("x", [&]() -> Status {
            undone = true;
            return ok();
        });
        undo.commit();
    }
    EXPECT_FALSE(undone);
}

TEST(Ids, OnlyHexadecimalOf64DigitsParses) {
    EXPECT_TRUE(ContainerId::parse(random_hex_id()));
    EXPECT_FALSE(ContainerId::parse("../../etc"));
    EXPECT_FALSE(ContainerId::parse(std::string(64, 'G')));
    EXPECT_FALSE(ContainerId::parse(std::string(63, 'a')));
    EXPECT_NE(random_hex_id(), random_hex_id());
}

TEST(Clock, FormatsNanosecondsInUtc) {
    EXPECT_EQ(rfc3339_nano(Nanos(0)), "1970-01-01T00:00:00.000000000Z");
    EXPECT_EQ(rfc3339_nano(std::chrono::seconds(1'700'000'000) + Nanos(42)),
              "2023-11-14T22:13:20.000000042Z");
}

TEST(Dir, NeverLeavesItself) {
    Scratch scratch;
    const Dir dir = Dir::open(scratch.path()).value();
    ASSERT_EQ(symlinkat("/etc/passwd", dir.fd(), "abs"), 0);
    ASSERT_EQ(symlinkat("../../etc/passwd", dir.fd(), "rel"), 0);
    EXPECT_FALSE(dir.read("abs"));
    EXPECT_FALSE(dir.read("rel"));
    EXPECT_FALSE(dir.read("../x"));
    ASSERT_TRUE(dir.make_dir("etc"));
    ASSERT_TRUE(dir.open_dir("etc")->write_atomic("passwd", "inside"));
    const auto in_root = dir.open_file("abs", O_RDONLY, 0, Resolve::InRoot);
    ASSERT_TRUE(in_root);
    EXPECT_EQ(read_all(in_root->get()).value(), "inside");
}

TEST(Dir, AtomicWriteLeavesNoTemporaryAndReplacesWhole) {
    Scratch scratch;
    const Dir dir = Dir::open(scratch.path()).value();
    ASSERT_TRUE(dir.write_atomic("state.json", std::string(100'000, 'x')));
    ASSERT_TRUE(dir.write_atomic("state.json", "short"));
    EXPECT_EQ(dir.read("state.json").value(), "short");
    EXPECT_EQ(dir.list().value(), std::vector<std::string>{"state.json"});
    EXPECT_EQ(dir.read("state.json", 3).error().kind(), Kind::Exhausted);
}

TEST(Dir, RemovesTreesWithoutFollowingLinks) {
    Scratch scratch;
    const Dir dir = Dir::open(scratch.path()).value();
    ASSERT_TRUE(make_dirs(scratch.path() + "/a/b/c"));
    ASSERT_TRUE(dir.write_atomic("keep", "k"));
    ASSERT_EQ(symlinkat("../../keep", dir.fd(), "a/b/link"), 0);
    ASSERT_TRUE(dir.remove_tree("a"));
    EXPECT_FALSE(dir.exists("a"));
    EXPECT_TRUE(dir.exists("keep"));
    EXPECT_TRUE(dir.remove_tree("a"));
}

TEST(EventLoop, RunsTimersInOrderAndPostedTasksFromOtherThreads) {
    const auto loop = EventLoop::make().value();
    std::string order;
    Watch late = loop->add_timer_in(Millis(2), [&] {
        order += "late";
        loop->stop();
    });
    Watch early = loop->add_timer_in(Millis(1), [&] { order += "early,"; });
    Watch never = loop->add_timer_in(Millis(0), [&] { order += "never,"; });
    never.reset();
    loop->post([&] { order += "posted,"; });
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(order, "posted,early,late");
}

TEST(EventLoop, AWatchMayDestroyItselfAndOthersInItsCallback) {
    const auto loop = EventLoop::make().value();
    int fds[2];
    ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
    const UniqueFd read_end(fds[0]);
    const UniqueFd write_end(fds[1]);
    int calls = 0;
    Watch watch;
    watch = loop->add_fd(read_end.get(), EPOLLIN,
                         [&](uint32_t) {
                             ++calls;
                             watch.reset();
                         })
                .value();
    ASSERT_EQ(write(write_end.get(), "x", 1), 1);
    ASSERT_TRUE(loop->run_once(Nanos(0)));
    ASSERT_TRUE(loop->run_once(Nanos(0)));
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, SeesFilesAppearAndProcessesEnd) {
    Scratch scratch;
    const auto loop = EventLoop::make().value();
    std::string seen;
    auto watch = InotifyWatch::make(*loop, scratch.path(), IN_MOVED_TO,
                                    [&](const InotifyWatch::Event& e) { seen = e.name; });
    ASSERT_TRUE(watch);
    ASSERT_TRUE(Dir::open(scratch.path())->write_atomic("pod.yaml", ""));
    Child child = spawn({.argv = {"/bin/true"}, .env = {}, .fds = {}}).value();
    Watch exited = loop->add_pidfd(child.pidfd.get(), [&] { loop->stop(); }).value();
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(seen, "pod.yaml");
    EXPECT_EQ(wait_child(child, Millis(0)).value(), 0);
}

TEST(EventLoop, DeliversSignals) {
    const auto loop = EventLoop::make().value();
    Watch watch = loop->add_signal(SIGUSR1, [&] { loop->stop(); }).value();
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    ASSERT_TRUE(loop->run());
}

TEST(Spawn, RunsACommandWithInputAndCollectsBothOutputs) {
    const auto r =
        run_command({.argv = {"/bin/sh", "-c", "cat; echo oops >&2; exit 3"}, .env = {}, .fds = {}}, "hello",
                    std::chrono::seconds(20));
    ASSERT_TRUE(r) << r.error().what();
    EXPECT_EQ(r->out, "hello");
    EXPECT_EQ(r->err, "oops\n");
    EXPECT_EQ(r->exit_code(), 3);
}

TEST(Spawn, KillsTheWholeGroupAtTheDeadline) {
    const auto r =
        run_command({.argv = {"/bin/sh", "-c", "/bin/sleep 1000 & /bin/sleep 1000"}, .env = {}, .fds = {}},
                    "", Millis(50));
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind(), Kind::TimedOut);
}

TEST(Spawn, AMissingProgramIsAnErrorThatNamesIt) {
    const auto r = spawn({.argv = {"/no/such/program"}, .env = {}, .fds = {}});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().what(), "start /no/such/program: No such file or directory");
}

}  // namespace
}  // namespace orlop
