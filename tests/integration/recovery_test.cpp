// kill -9 of the runtime while pods log 1,000 lines a second: nothing stops, nothing is lost.
#include <gmock/gmock.h>
#include <signal.h>

#include "base/dir.h"
#include "harness/node_test.h"
#include "harness/numbered_lines.h"

namespace orlop::it {
namespace {

class RecoveryTest : public NodeTest {
  protected:
    size_t bytes_of(const std::string& name) { return log_of(name, name).size(); }
    void expect_grows(const std::string& name, size_t by) {
        const size_t from = bytes_of(name);
        EXPECT_TRUE(eventually(scaled(30), [&] { return bytes_of(name) > from + by; }))
            << name << " stands still";
    }
};

TEST_F(RecoveryTest, NoContainerStopsAndNoLineIsLostWhenTheRuntimeIsKilled) {
    const std::vector<std::string> names = {"one", "two", "three"};
    std::vector<Launched> pods;
    std::vector<pid_t> pids;
    for (const std::string& name : names) {
        pods.push_back(launch(name, kThousandLinesASecond));
        pids.push_back(crictl().container_pid(pods.back().container));
    }
    const std::string started = crictl().container_status(pods[0].container).value("startedAt", "");
    for (int round = 0; round < 3; ++round) {
        for (const std::string& name : names) expect_grows(name, 20'000);
        const auto killed = node().runtime().end(SIGKILL, scaled(20));
        ASSERT_TRUE(killed) << killed.error().what();
        // While no runtime is there: about another 1,000 lines each. The reference's containers block here.
        if (!place().reference) {
            for (const std::string& name : names) expect_grows(name, 50'000);
        }
        const Status again = node().start();
        ASSERT_TRUE(again) << again.error().what();
        for (size_t i = 0; i < names.size(); ++i) {
            EXPECT_EQ(crictl().container_status(pods[i].container).value("state", ""), "CONTAINER_RUNNING");
            EXPECT_EQ(crictl().container_pid(pods[i].container), pids[i]) << names[i] << " was restarted";
            EXPECT_EQ(crictl().pod_status(pods[i].pod).value("state", ""), "SANDBOX_READY");
        }
    }
    EXPECT_EQ(crictl().container_status(pods[0].container).value("startedAt", ""), started);
    for (const Launched& pod : pods) crictl().must({"stop", "--timeout", "5", pod.container});
    for (const std::string& name : names) EXPECT_EQ(numbered_lines_defect(log_of(name, name)), "") << name;
}

TEST_F(RecoveryTest, AnExitWhileNoRuntimeWasThereIsReportedAfterwards) {
    const Launched pod = launch("brief", "until [ -e /tmp/go ]; do usleep 20000; done; exit 42");
    const pid_t pid = crictl().container_pid(pod.container);
    ASSERT_TRUE(node().runtime().end(SIGKILL, scaled(20)));
    const std::string go = "/proc/" + std::to_string(pid) + "/root/tmp/go";
    ASSERT_TRUE(run({"/bin/sh", "-c", ": >" + go}).ok());
    EXPECT_TRUE(eventually(scaled(20), [&] { return kill(pid, 0) != 0; }));
    const Status again = node().start();
    ASSERT_TRUE(again) << again.error().what();
    const Json status = crictl().wait_exit(pod.container);
    EXPECT_EQ(status.value("exitCode", -1), 42);
    EXPECT_EQ(status.value("reason", ""), "Error");
}

TEST_F(RecoveryTest, EverythingWorksOnWithWhatWasThereBefore) {
    const Json pod = pod_config(node(), "before");
    const std::string pod_id = crictl().runp(pod);
    const std::string running = crictl().launch(pod_id, shell_config("running", kSleepUntilStopped), pod);
    const std::string created = crictl().create(pod_id, shell_config("created", "echo started late"), pod);
    const std::string ip = crictl().pod_status(pod_id)["network"].value("ip", "");
    const Status again = node().restart();
    ASSERT_TRUE(again) << again.error().what();
    EXPECT_EQ(crictl().pod_status(pod_id)["network"].value("ip", ""), ip);
    EXPECT_EQ(crictl().container_status(created).value("state", ""), "CONTAINER_CREATED");
    EXPECT_THAT(crictl().must({"exec", "-s", running, "/bin/echo", "still here"}),
                ::testing::HasSubstr("still here"));
    crictl().must({"start", created});
    EXPECT_EQ(crictl().wait_exit(created).value("exitCode", -1), 0);
    EXPECT_EQ(crictl().run({"logs", created}).out, "started late\n");
    crictl().must({"stop", "--timeout", "10", running});
    EXPECT_EQ(crictl().container_status(running).value("exitCode", -1), 0);
    const std::string another = crictl().launch(pod_id, shell_config("another", "exit 0"), pod);
    EXPECT_EQ(crictl().wait_exit(another).value("reason", ""), "Completed");
}

TEST_F(RecoveryTest, AnOrderlyStopLeavesPodsRunningToo) {
    const Launched pod = launch("orderly", kSleepUntilStopped);
    const pid_t pid = crictl().container_pid(pod.container);
    const auto code = node().stop();
    ASSERT_TRUE(code) << code.error().what();
    EXPECT_EQ(*code, 0);
    EXPECT_EQ(kill(pid, 0), 0);
    const Status again = node().start();
    ASSERT_TRUE(again) << again.error().what();
    EXPECT_EQ(crictl().container_pid(pod.container), pid);
}

}  // namespace
}  // namespace orlop::it
