#include "agent/decide/status.h"

#include <gtest/gtest.h>

namespace orlop::agent {
namespace {

class PodStatusTest : public testing::Test {
  protected:
    PodStatusTest() {
        pod.spec.containers.resize(1);
        pod.spec.containers[0].name = "a";
        pod.spec.containers[0].image = "i";
        seen.sandboxes.resize(1);
        seen.sandboxes[0].ready = true;
        seen.sandboxes[0].ips = {"10.1.2.3"};
    }
    ObservedContainer& have(const std::string& name, RunState state, int exit_code = 0,
                            uint32_t restarts = 0) {
        ObservedContainer out;
        out.id = name + std::to_string(restarts);
        out.name = name;
        out.state = state;
        out.exit_code = exit_code;
        out.restarts = restarts;
        return *seen.containers.insert(seen.containers.begin(), out);
    }
    kube::PodStatus status(const kube::PodStatus& previous = {}) {
        return compute_pod_status({pod,
                                   seen,
                                   actions,
                                   "orlop",
                                   "192.0.2.9",
                                   {std::chrono::seconds(5)},
                                   {std::chrono::seconds(now)},
                                   rejected},
                                  previous);
    }
    static std::string condition(const kube::PodStatus& s, const std::string& type) {
        for (const kube::PodCondition& c : s.conditions) {
            if (c.type == type) return c.status + "/" + c.reason + "/" + c.message;
        }
        return "none";
    }

    kube::Pod pod;
    ObservedPod seen;
    PodActions actions;
    std::optional<Wait> rejected;
    int now = 100;
};

TEST_F(PodStatusTest, ARunningPodIsReady) {
    have("a", RunState::Running);
    const auto s = status();
    EXPECT_EQ(s.phase, "Running");
    EXPECT_EQ(s.pod_ip, "10.1.2.3");
    EXPECT_EQ(s.containers[0].container_id, "orlop://a0");
    EXPECT_TRUE(s.containers[0].ready);
    EXPECT_EQ(condition(s, "Ready"), "True//");
    EXPECT_EQ(condition(s, "PodScheduled"), "True//");
}

TEST_F(PodStatusTest, PhasesFollowContainersAndPolicy) {
    struct Row {
        kube::RestartPolicy policy;
        RunState state;
        int exit_code;
        std::string phase;
    };
    using enum kube::RestartPolicy;
    for (const Row& row :
         {Row{Always, RunState::Exited, 0, "Running"}, Row{Always, RunState::Exited, 1, "Running"},
          Row{Never, RunState::Exited, 0, "Succeeded"}, Row{Never, RunState::Exited, 1, "Failed"},
          Row{OnFailure, RunState::Exited, 0, "Succeeded"}, Row{OnFailure, RunState::Exited, 1, "Running"},
          Row{Never, RunState::Running, 0, "Running"}, Row{Always, RunState::Created, 0, "Pending"}}) {
        seen.containers.clear();
        pod.spec.restart_policy = row.policy;
        have("a", row.state, row.exit_code);
        EXPECT_EQ(status().phase, row.phase) << static_cast<int>(row.policy) << row.exit_code;
    }
}

TEST_F(PodStatusTest, WaitingContainersSayWhy) {
    EXPECT_EQ(status().containers[0].state.waiting->reason, "ContainerCreating");
    EXPECT_EQ(status().phase, "Pending");
    actions.waiting["a"] = {"ErrImagePull", "no such image"};
    EXPECT_EQ(status().containers[0].state.waiting->message, "no such image");
    actions.pod_waiting = Wait{"NetworkNotReady", "network is not ready: x"};
    seen.sandboxes.clear();
    EXPECT_EQ(condition(status(), "PodReadyToStartContainers"),
              "False/NetworkNotReady/network is not ready: x");
    EXPECT_EQ(status().message, "network is not ready: x");
}

TEST_F(PodStatusTest, ACrashLoopShowsTheLastEnd) {
    have("a", RunState::Exited, 1, 3);
    actions.waiting["a"] = {"CrashLoopBackOff", "back-off"};
    const auto s = status();
    EXPECT_EQ(s.phase, "Running");
    EXPECT_EQ(s.containers[0].state.waiting->reason, "CrashLoopBackOff");
    EXPECT_EQ(s.containers[0].last_state.terminated->exit_code, 1);
    EXPECT_EQ(s.containers[0].last_state.terminated->reason, "Error");
    EXPECT_EQ(s.containers[0].restart_count, 3);
    EXPECT_EQ(condition(s, "Ready"), "False/ContainersNotReady/containers with unready status: [a]");
}

TEST_F(PodStatusTest, AVanishedContainerEndedWith137) {
    have("a", RunState::Unknown);
    EXPECT_EQ(status().containers[0].state.terminated->reason, "ContainerStatusUnknown");
    EXPECT_EQ(status().containers[0].state.terminated->exit_code, 137);
}

TEST_F(PodStatusTest, TheReasonOfTheRuntimeIsKept) {
    have("a", RunState::Exited, 137).reason = "OOMKilled";
    EXPECT_EQ(status().containers[0].state.terminated->reason, "OOMKilled");
}

TEST_F(PodStatusTest, InitContainersComeFirst) {
    pod.spec.init_containers.resize(1);
    pod.spec.init_containers[0].name = "i";
    have("i", RunState::Running);
    EXPECT_EQ(status().phase, "Pending");
    EXPECT_EQ(status().containers[0].state.waiting->reason, "PodInitializing");
    EXPECT_EQ(condition(status(), "Initialized"),
              "False/ContainersNotInitialized/containers with incomplete status: [i]");
    seen.containers[0].state = RunState::Exited;
    seen.containers[0].exit_code = 1;
    pod.spec.restart_policy = kube::RestartPolicy::Never;
    EXPECT_EQ(status().phase, "Failed");
}

TEST_F(PodStatusTest, ConditionsKeepTheTimeOfTheirLastChange) {
    have("a", RunState::Running);
    const auto first = status();
    now = 200;
    const auto second = status(first);
    EXPECT_EQ(second, first);
    seen.containers[0].state = RunState::Exited;
    const auto third = status(second);
    for (const kube::PodCondition& c : third.conditions) {
        const int expected = c.type == "Ready" || c.type == "ContainersReady" ? 200 : 100;
        EXPECT_EQ(c.last_transition.since_epoch, std::chrono::seconds(expected)) << c.type;
    }
}

TEST_F(PodStatusTest, ATerminalPhaseStaysAndIsWithheldWhileSomethingRuns) {
    kube::PodStatus failed;
    failed.phase = "Failed";
    have("a", RunState::Exited, 0);
    EXPECT_EQ(status(failed).phase, "Failed");
    pod.spec.restart_policy = kube::RestartPolicy::Never;
    have("sidecar", RunState::Running);
    kube::PodStatus running;
    running.phase = "Running";
    EXPECT_EQ(status(running).phase, "Running");
}

TEST_F(PodStatusTest, ARejectedPodHasFailedWithTheReason) {
    rejected = Wait{"OutOfpods", "full"};
    EXPECT_EQ(status().phase, "Failed");
    EXPECT_EQ(status().reason, "OutOfpods");
    EXPECT_EQ(status().message, "Pod was rejected: full");
}

}  // namespace
}  // namespace orlop::agent
