#include "agent/decide/actions.h"

#include <gtest/gtest.h>

namespace orlop::agent {
namespace {

using namespace std::chrono_literals;

// A pod of containers "a" and "b", and what the runtime has, written in one line each.
class PodActions_ : public testing::Test {
  protected:
    PodActions_() {
        pod.meta.name = "p";
        pod.meta.ns = "default";
        pod.spec.containers = {container("a"), container("b")};
        node.now = 10000s;
    }

    static kube::Container container(const std::string& name) {
        kube::Container out;
        out.name = name;
        out.image = "image";
        out.hash = "h";
        return out;
    }
    static kube::Container sidecar(const std::string& name) {
        kube::Container out = container(name);
        out.restart_policy = kube::ContainerRestartPolicy::Always;
        return out;
    }
    ObservedSandbox& sandbox(const std::string& id, bool ready = true, uint32_t attempt = 0) {
        ObservedSandbox out;
        out.id = id;
        out.ready = ready;
        out.attempt = attempt;
        return *seen.sandboxes.insert(seen.sandboxes.begin(), out);
    }
    ObservedContainer& have(const std::string& name, RunState state, int exit_code = 0,
                            uint32_t restarts = 0) {
        ObservedContainer out;
        out.id = name + std::to_string(restarts);
        out.name = name;
        out.sandbox_id = seen.sandboxes.empty() ? "gone" : seen.sandboxes.front().id;
        out.state = state;
        out.exit_code = exit_code;
        out.restarts = restarts;
        out.hash = "h";
        out.ended = node.now - 1s;
        return *seen.containers.insert(seen.containers.begin(), out);
    }
    PodActions decide() { return compute_pod_actions(pod, seen, memory, node); }
    static std::string names(const std::vector<Start>& list) {
        std::string out;
        for (const Start& s : list) out += s.name + ":" + std::to_string(s.restarts) + " ";
        return out;
    }
    static std::string names(const std::vector<Kill>& list) {
        std::string out;
        for (const Kill& k : list) out += k.name + " ";
        return out;
    }

    kube::Pod pod;
    ObservedPod seen;
    PodMemory memory;
    NodeView node;
};
using PodActionsTest = PodActions_;

TEST_F(PodActionsTest, MakesASandboxFirst) {
    const PodActions todo = decide();
    EXPECT_EQ(todo.create_sandbox, 0u);
    EXPECT_TRUE(todo.starts.empty());
}

TEST_F(PodActionsTest, StartsAllContainersInAReadySandbox) {
    sandbox("s");
    const PodActions todo = decide();
    EXPECT_FALSE(todo.create_sandbox);
    EXPECT_EQ(todo.sandbox_id, "s");
    EXPECT_EQ(names(todo.starts), "a:0 b:0 ");
}

TEST_F(PodActionsTest, DoesNothingWhenEverythingRuns) {
    sandbox("s");
    have("a", RunState::Running);
    have("b", RunState::Running);
    EXPECT_TRUE(decide().nothing_to_do());
}

TEST_F(PodActionsTest, RestartsOnlyTheFailedContainer) {
    sandbox("s");
    have("a", RunState::Exited, 1);
    have("b", RunState::Running);
    EXPECT_EQ(names(decide().starts), "a:1 ");
}

TEST_F(PodActionsTest, HoldsACrashingContainerBack) {
    sandbox("s");
    have("a", RunState::Exited, 1, 3);
    have("b", RunState::Running);
    memory.containers["a"].backoff = {40s, node.now - 5s};
    const PodActions todo = decide();
    EXPECT_TRUE(todo.nothing_to_do());
    EXPECT_EQ(todo.waiting.at("a").reason, "CrashLoopBackOff");
    EXPECT_EQ(todo.waiting.at("a").message, "back-off 40s restarting failed container=a pod=p_default");
    EXPECT_EQ(todo.wake_at, node.now - 1s + 40s);
}

TEST_F(PodActionsTest, PolicyDecidesAboutRestarts) {
    struct Row {
        kube::RestartPolicy policy;
        int exit_code;
        bool restarts;
    };
    for (const Row& row :
         {Row{kube::RestartPolicy::Always, 0, true}, Row{kube::RestartPolicy::Always, 1, true},
          Row{kube::RestartPolicy::OnFailure, 0, false}, Row{kube::RestartPolicy::OnFailure, 1, true},
          Row{kube::RestartPolicy::Never, 0, false}, Row{kube::RestartPolicy::Never, 1, false}}) {
        seen = {};
        sandbox("s");
        have("a", RunState::Exited, row.exit_code);
        have("b", RunState::Running);
        pod.spec.restart_policy = row.policy;
        EXPECT_EQ(!decide().starts.empty(), row.restarts) << static_cast<int>(row.policy) << row.exit_code;
    }
}

TEST_F(PodActionsTest, AFinishedPodGivesItsSandboxBackAndKeepsItsContainers) {
    pod.spec.restart_policy = kube::RestartPolicy::Never;
    sandbox("s");
    have("a", RunState::Exited, 0);
    have("b", RunState::Exited, 3);
    PodActions todo = decide();
    EXPECT_TRUE(todo.finished);
    EXPECT_EQ(todo.stop_sandboxes, std::vector<std::string>{"s"});
    seen.sandboxes.front().ready = false;
    todo = decide();
    EXPECT_TRUE(todo.nothing_to_do());
    EXPECT_FALSE(todo.create_sandbox);
}

TEST_F(PodActionsTest, ADeadSandboxIsReplacedAndItsContainersGoOnCounting) {
    sandbox("s", false, 4);
    have("a", RunState::Exited, 137, 2);
    have("b", RunState::Exited, 137, 0);
    PodActions todo = decide();
    EXPECT_EQ(todo.create_sandbox, 5u);
    EXPECT_EQ(todo.stop_sandboxes, std::vector<std::string>{"s"});
    sandbox("t", true, 5);
    todo = decide();
    EXPECT_EQ(names(todo.starts), "a:3 b:1 ");
    EXPECT_EQ(todo.sandbox_id, "t");
}

TEST_F(PodActionsTest, ContainersOfADeadSandboxAreKilledBeforeItIsReplaced) {
    sandbox("s", false);
    have("a", RunState::Running);
    const PodActions todo = decide();
    EXPECT_EQ(names(todo.kills), "a ");
    EXPECT_FALSE(todo.create_sandbox);
}

TEST_F(PodActionsTest, AnotherNetworkNeedsAnotherSandbox) {
    sandbox("s");
    have("a", RunState::Exited, 1);
    have("b", RunState::Exited, 1);
    pod.spec.host_network = true;
    EXPECT_EQ(decide().create_sandbox, 1u);
}

TEST_F(PodActionsTest, WaitsForTheNetworkUnlessItUsesTheHosts) {
    node.network_ready = false;
    node.network_message = "no conflist";
    PodActions todo = decide();
    EXPECT_TRUE(todo.nothing_to_do());
    EXPECT_EQ(todo.pod_waiting->message, "network is not ready: no conflist");
    pod.spec.host_network = true;
    EXPECT_EQ(decide().create_sandbox, 0u);
}

TEST_F(PodActionsTest, ARunningPodDoesNotCareThatTheNetworkIsNotReady) {
    sandbox("s");
    have("a", RunState::Exited, 1);
    have("b", RunState::Running);
    node.network_ready = false;
    EXPECT_EQ(names(decide().starts), "a:1 ");
}

TEST_F(PodActionsTest, AFailedSandboxIsTriedAgainLater) {
    memory.sandbox_failure = Wait{"FailedCreatePodSandBox", "cni"};
    memory.sandbox_retry_at = node.now + 4s;
    PodActions todo = decide();
    EXPECT_TRUE(todo.nothing_to_do());
    EXPECT_EQ(todo.wake_at, node.now + 4s);
    EXPECT_EQ(todo.pod_waiting->message, "cni");
    node.now += 4s;
    EXPECT_TRUE(decide().create_sandbox);
}

TEST_F(PodActionsTest, InitContainersRunOneAfterAnother) {
    pod.spec.init_containers = {container("i"), container("j")};
    sandbox("s");
    EXPECT_EQ(names(decide().starts), "i:0 ");
    have("i", RunState::Running);
    EXPECT_TRUE(decide().nothing_to_do());
    seen.containers.front().state = RunState::Exited;
    EXPECT_EQ(names(decide().starts), "j:0 ");
    have("j", RunState::Exited, 0);
    EXPECT_EQ(names(decide().starts), "a:0 b:0 ");
}

TEST_F(PodActionsTest, AFailedInitContainerIsRestartedOrEndsThePod) {
    pod.spec.init_containers = {container("i")};
    sandbox("s");
    have("i", RunState::Exited, 1);
    EXPECT_EQ(names(decide().starts), "i:1 ");
    pod.spec.restart_policy = kube::RestartPolicy::Never;
    EXPECT_TRUE(decide().finished);
}

TEST_F(PodActionsTest, SidecarsStartInOrderAndAreRestarted) {
    pod.spec.init_containers = {sidecar("x"), container("i")};
    sandbox("s");
    EXPECT_EQ(names(decide().starts), "x:0 ");
    have("x", RunState::Running);
    EXPECT_EQ(names(decide().starts), "i:0 ");
    have("i", RunState::Exited, 0);
    have("a", RunState::Running);
    have("b", RunState::Running);
    EXPECT_TRUE(decide().nothing_to_do());
    seen.containers.back().state = RunState::Exited;
    EXPECT_EQ(names(decide().starts), "x:1 ");
}

TEST_F(PodActionsTest, SidecarsStopWhenTheOthersHaveFinished) {
    pod.spec.init_containers = {sidecar("x"), sidecar("y")};
    pod.spec.restart_policy = kube::RestartPolicy::Never;
    sandbox("s");
    have("x", RunState::Running);
    have("y", RunState::Running);
    have("a", RunState::Exited, 0);
    have("b", RunState::Exited, 0);
    EXPECT_EQ(names(decide().kills), "y ");
    seen.containers[2].state = RunState::Exited;
    EXPECT_EQ(names(decide().kills), "x ");
}

TEST_F(PodActionsTest, AChangedContainerIsStoppedAndStartedAgain) {
    sandbox("s");
    have("a", RunState::Running).hash = "old";
    have("b", RunState::Running);
    EXPECT_EQ(names(decide().kills), "a ");
    seen.containers.back().state = RunState::Exited;
    EXPECT_EQ(names(decide().starts), "a:1 ");
}

TEST_F(PodActionsTest, AContainerThatWasOnlyMadeIsMadeAgain) {
    sandbox("s");
    have("a", RunState::Created, 0, 2);
    have("b", RunState::Running);
    const PodActions todo = decide();
    EXPECT_EQ(todo.remove_containers, std::vector<std::string>{"a2"});
    EXPECT_EQ(names(todo.starts), "a:2 ");
}

TEST_F(PodActionsTest, KeepsTheLastEndedContainerAndRemovesTheRest) {
    sandbox("s");
    have("a", RunState::Exited, 1, 0);
    have("a", RunState::Exited, 1, 1);
    have("a", RunState::Exited, 1, 2);
    have("a", RunState::Running, 0, 3);
    have("b", RunState::Running);
    EXPECT_EQ(decide().remove_containers, (std::vector<std::string>{"a1", "a0"}));
}

TEST_F(PodActionsTest, RemovesOldSandboxesOnceTheyAreEmpty) {
    sandbox("old", false, 0);
    have("a", RunState::Exited, 1, 0);
    sandbox("new", true, 1);
    have("a", RunState::Running, 0, 1);
    have("b", RunState::Running);
    EXPECT_TRUE(decide().remove_sandboxes.empty());
    seen.containers.pop_back();
    EXPECT_EQ(decide().remove_sandboxes, std::vector<std::string>{"old"});
}

TEST_F(PodActionsTest, ShowsWhyAnImageIsMissingAndTriesLater) {
    sandbox("s");
    have("b", RunState::Running);
    memory.containers["a"].failure = Wait{"ErrImagePull", "no"};
    memory.containers["a"].retry_at = node.now + 9s;
    PodActions todo = decide();
    EXPECT_EQ(todo.waiting.at("a").reason, "ErrImagePull");
    EXPECT_EQ(todo.wake_at, node.now + 9s);
    memory.containers["a"].retry_at = node.now;
    EXPECT_EQ(names(decide().starts), "a:0 ");
}

TEST_F(PodActionsTest, EndsSidecarsAfterTheOthersInReverse) {
    pod.spec.init_containers = {sidecar("x"), sidecar("y")};
    sandbox("s");
    have("x", RunState::Running);
    have("y", RunState::Running);
    have("a", RunState::Running);
    have("b", RunState::Running);
    EXPECT_EQ(names(next_to_stop(pod, seen)), "b a ");
    seen.containers.erase(seen.containers.begin(), seen.containers.begin() + 2);
    EXPECT_EQ(names(next_to_stop(pod, seen)), "y ");
}

TEST(CrashLoop, DelaysDoubleUpToTheMaximumAndStartOver) {
    const Nanos max = 300s;
    Backoff b;
    Nanos now = 1000s;
    std::vector<int64_t> waits;
    for (int i = 0; i < 8; ++i) {
        const Nanos start = ready_at(b, now, max);
        waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(start - now).count());
        b = advance(b, now, start, max);
        now = start + 1s;
    }
    EXPECT_EQ(waits, (std::vector<int64_t>{0, 10, 20, 40, 80, 160, 300, 300}));
    now += 601s;
    EXPECT_EQ(ready_at(b, now, max), now);
    EXPECT_EQ(advance(b, now, now, max).delay, kFirstBackoff);
}

}  // namespace
}  // namespace orlop::agent
