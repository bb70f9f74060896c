#include "runtime/launch/hooks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/dir.h"
#include "base/process_handle.h"

namespace orlop::launch {
namespace {

class HooksTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/orlop-hooks-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        dir_ = name;
    }
    void TearDown() override { (void)Dir::open("/tmp")->remove_tree(dir_.substr(5)); }
    Hook shell(const std::string& script) const { return {"/bin/sh", {"sh", "-c", script}, {"X=1"}, {}}; }
    std::string file(const std::string& name) const {
        return read_file(dir_ + "/" + name).value_or("(none)");
    }
    std::string dir_;
};

TEST_F(HooksTest, GetTheStateTheirEnvironmentAndTheDirectory) {
    const auto done =
        run_hooks("prestart", {shell("cat >state; echo $X >env; pwd >where")}, "{\"id\":\"a\"}", dir_);
    ASSERT_TRUE(done) << done.error().what();
    EXPECT_EQ(file("state"), "{\"id\":\"a\"}");
    EXPECT_EQ(file("env"), "1\n");
    EXPECT_EQ(file("where"), dir_ + "\n");
}

TEST_F(HooksTest, RunInOrderUpToTheFirstThatFails) {
    const auto done = run_hooks(
        "createRuntime", {shell("echo 1 >>order"), shell("echo why >&2; exit 3"), shell("echo 3 >>order")},
        "", dir_);
    ASSERT_FALSE(done);
    EXPECT_EQ(file("order"), "1\n");
    EXPECT_EQ(done.error().what(), "createRuntime hook #1 (/bin/sh): exit status 3, output: why");
}

TEST_F(HooksTest, AreKilledAtTheirDeadlineWithTheirChildren) {
    Hook slow = shell("sleep 1000 & echo $! >child; wait");
    slow.timeout_seconds = 1;
    const auto done = run_hooks("prestart", {slow}, "", dir_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), Kind::TimedOut);
    const pid_t child = static_cast<pid_t>(std::atoi(file("child").c_str()));
    ASSERT_GT(child, 0);
    // The signal is sent; dying is the child's own affair.
    const auto held = ProcessHandle::open(child);
    EXPECT_TRUE(!held || held->wait_end(std::chrono::seconds(10)));
}

TEST_F(HooksTest, MayLeaveAChildBehindThatHoldsTheOutput) {
    const auto done = run_hooks("poststart", {shell("sleep 20 & echo $! >child")}, "", dir_);
    EXPECT_TRUE(done);
    const pid_t child = static_cast<pid_t>(std::atoi(file("child").c_str()));
    ASSERT_GT(child, 0);
    EXPECT_EQ(kill(child, SIGKILL), 0);
}

TEST_F(HooksTest, SurviveAStateThatIsNotRead) {
    EXPECT_TRUE(run_hooks("prestart", {shell("exit 0")}, std::string(1 << 20, 'x'), dir_));
}

TEST_F(HooksTest, AreNamedWhenTheyAreMissing) {
    const auto done = run_hooks("poststop", {{"/no/such/hook", {}, {}, {}}}, "", dir_);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what().find("/no/such/hook"), std::string::npos);
}

}  // namespace
}  // namespace orlop::launch
