#include "cli/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "cli/test_support.h"

namespace orlop::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::TempDir;

TEST(Supervisor, BackoffDoublesUpToTenSecondsAndStartsAgainAfterAGoodRun) {
    Nanos wait{0};
    std::vector<int64_t> waits;
    for (int i = 0; i < 8; ++i) {
        wait = next_backoff(wait, seconds(0));
        waits.push_back(std::chrono::duration_cast<milliseconds>(wait).count());
    }
    EXPECT_THAT(waits, testing::ElementsAre(200, 400, 800, 1600, 3200, 6400, 10000, 10000));
    EXPECT_EQ(next_backoff(seconds(10), seconds(10)), milliseconds(200));
}

// Two shell scripts as daemons; each writes its name and what happens to it into one file.
class SupervisorOfScripts : public testing::Test {
  protected:
    void SetUp() override {
        auto made = EventLoop::make();
        ASSERT_TRUE(made);
        loop_ = std::move(*made);
    }
    DaemonSpec script(const std::string& name, const std::string& body) const {
        return {name, {"/bin/sh", "-c", body, name, dir_ / "events"}};
    }
    std::unique_ptr<Supervisor> make(std::vector<DaemonSpec> daemons) {
        auto made = Supervisor::make(*loop_, std::move(daemons), {dir_ / "supervisor.json", dir_.path()},
                                     [this](const std::string& line) { said_.push_back(line); });
        EXPECT_TRUE(made) << made.error().what();
        return made ? std::move(*made) : nullptr;
    }
    // Calls `then` in the loop once the events file has this text.
    void when(const std::string& text, std::function<void()> then) {
        auto done = std::make_shared<bool>(false);
        auto watch = InotifyWatch::make(
            *loop_, dir_.path(), IN_MODIFY | IN_CREATE | IN_CLOSE_WRITE,
            [this, text, then, done](const InotifyWatch::Event&) {
                if (*done || test::read_text(dir_ / "events").find(text) == std::string::npos) return;
                *done = true;
                then();
            });
        ASSERT_TRUE(watch);
        watches_.push_back(std::move(*watch));
    }

    static constexpr const char* kWell =
        "trap 'echo $0-ends >>$1; exit 0' TERM; echo $0-runs >>$1; while :; do sleep 0.01; done";

    const TempDir dir_;
    std::unique_ptr<EventLoop> loop_;
    std::vector<std::string> said_;
    std::vector<InotifyWatch> watches_;
};

TEST_F(SupervisorOfScripts, StopsTheAgentBeforeTheRuntime) {
    const auto supervisor = make({script("runtime", kWell), script("agent", kWell)});
    ASSERT_TRUE(supervisor);
    int running = 0;
    const auto ready = [&] {
        if (++running == 2) supervisor->stop_all();
    };
    when("runtime-runs", ready);
    when("agent-runs", ready);
    ASSERT_TRUE(supervisor->run());
    const std::string events = test::read_text(dir_ / "events");
    ASSERT_NE(events.find("agent-ends"), std::string::npos) << events;
    EXPECT_LT(events.find("agent-ends"), events.find("runtime-ends")) << events;
}

TEST_F(SupervisorOfScripts, StartsWhatDiesAgainAndRemembersHow) {
    const auto supervisor =
        make({script("runtime", kWell),
              script("agent",
                     "if grep -q again $1; then echo third >>$1; exec sleep 60; fi; "
                     "if [ -s $1 ] && grep -q first $1; then echo again >>$1; exit 3; fi; "
                     "echo first >>$1; kill -9 $$")});
    ASSERT_TRUE(supervisor);
    when("third", [&] { supervisor->stop_all(); });
    ASSERT_TRUE(supervisor->run());
    const auto states = read_daemon_states(dir_ / "supervisor.json");
    ASSERT_TRUE(states);
    ASSERT_EQ(states->size(), 2U);
    EXPECT_EQ(states->at(1).restarts, 2);
    EXPECT_EQ(states->at(0).restarts, 0);
    EXPECT_THAT(said_, testing::Contains("the agent has ended: signal 9"));
    EXPECT_THAT(said_, testing::Contains("the agent has ended: exit 3"));
}

TEST_F(SupervisorOfScripts, CanStopTheAgentAlone) {
    const auto supervisor = make({script("runtime", kWell), script("agent", kWell)});
    ASSERT_TRUE(supervisor);
    when("agent-runs", [&] { supervisor->stop_last(); });
    Watch later;
    when("agent-ends", [&] {
        // The agent is not started again while the runtime goes on.
        later = loop_->add_timer_in(milliseconds(400), [&] { supervisor->stop_all(); });
    });
    ASSERT_TRUE(supervisor->run());
    const std::string events = test::read_text(dir_ / "events");
    EXPECT_EQ(events.find("agent-runs"), events.rfind("agent-runs")) << events;
    EXPECT_LT(events.find("agent-ends"), events.find("runtime-ends")) << events;
}

TEST_F(SupervisorOfScripts, StartsTheAgentOnceTheRuntimeListens) {
    DaemonSpec agent = script("agent", kWell);
    agent.after_socket = dir_ / "socket";
    const auto supervisor = make({script("runtime", kWell), agent});
    ASSERT_TRUE(supervisor);
    std::optional<test::FakeHttp> listener;
    std::string before;
    when("runtime-runs", [&] {
        before = test::read_text(dir_ / "events");
        listener.emplace(dir_ / "socket", "x");
    });
    when("agent-runs", [&] { supervisor->stop_all(); });
    ASSERT_TRUE(supervisor->run());
    EXPECT_TRUE(listener);
    EXPECT_EQ(before.find("agent-runs"), std::string::npos);
}

TEST_F(SupervisorOfScripts, EndsTheDaemonsOfASupervisorThatWasKilled) {
    auto left = spawn({.argv = {"/bin/sleep", "60"}, .env = {}});
    ASSERT_TRUE(left);
    const auto id = identify(left->pid);
    ASSERT_TRUE(id);
    test::write_text(dir_ / "supervisor.json", daemon_states_json({{"agent", *id, 0, ""}}));
    // The test is its parent and has to take it away: until then its pidfd says that it has ended.
    const auto supervisor = make({script("runtime", kWell)});
    ASSERT_TRUE(supervisor);
    const auto status = wait_child(*left, seconds(5));
    ASSERT_TRUE(status);
    EXPECT_EQ(describe_exit(*status), "signal 15");
}

TEST(Process, APidThatWasGivenToSomebodyElseIsNotTakenForTheOldOne) {
    const auto self = identify(getpid());
    ASSERT_TRUE(self);
    EXPECT_TRUE(open_process(*self));
    EXPECT_FALSE(open_process({self->pid, self->start + 1}));
    EXPECT_FALSE(open_process({}));
    EXPECT_FALSE(identify(-1));
}

TEST(Process, StatesSurviveTheirFile) {
    const auto states = parse_daemon_states(daemon_states_json({{"runtime", {12, 34}, 5, "exit 2"}}));
    ASSERT_TRUE(states);
    EXPECT_EQ(states->at(0).process, (ProcessId{12, 34}));
    EXPECT_EQ(states->at(0).restarts, 5);
    EXPECT_EQ(states->at(0).last_exit, "exit 2");
    const TempDir dir;
    EXPECT_TRUE(read_daemon_states(dir / "none").value_or({DaemonState()}).empty());
    EXPECT_FALSE(parse_daemon_states("{}"));
}

TEST(Process, ALockIsHeldByOneLivingProcessOnly) {
    const TempDir dir;
    const std::string path = dir / "lock";
    EXPECT_FALSE(LockFile::holder(path));
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        const auto lock = LockFile::take(path);
        (void)!write(ready[1], lock ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    char answer = 0;
    ASSERT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    EXPECT_EQ(LockFile::holder(path), child);
    const auto second = LockFile::take(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), Kind::Exists);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_FALSE(LockFile::holder(path));
    EXPECT_TRUE(LockFile::take(path));
    close(ready[0]);
    close(ready[1]);
}

}  // namespace
}  // namespace orlop::cli
