// The whole core against a fake runtime and a fake clock.
#include "agent/node/pod_manager.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <deque>

#include "agent/node/fake_cri.h"
#include "agent/sources/static_pod.h"
#include "base/dir.h"

namespace orlop::agent {
namespace {

using namespace std::chrono_literals;

// Runs jobs one after another when it is told to.
class QueueExecutor final : public Executor {
  public:
    void submit(Lane, Job job) override { jobs_.push_back(std::move(job)); }
    void post(Continuation continuation) override {
        jobs_.push_back([continuation = std::move(continuation)] { return continuation; });
    }
    bool run_one() {
        if (jobs_.empty()) return false;
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        if (const Continuation next = job(); next) next();
        return true;
    }
    void drop() { jobs_.clear(); }

  private:
    std::deque<Job> jobs_;
};

class PodManagerTest : public testing::Test {
  protected:
    PodManagerTest() : cri(clock) {
        char name[] = "/tmp/orlop-agent-test-XXXXXX";
        root = mkdtemp(name);
        node.node_name = "n1";
        node.host_ip = "192.0.2.1";
        node.paths = {root + "/kubelet", root + "/logs"};
        restart();
    }
    ~PodManagerTest() override {
        if (const auto tmp = Dir::open("/tmp"); tmp) (void)tmp->remove_tree(root.substr(5));
    }
    // The agent dies and starts again; the runtime goes on.
    void restart() {
        executor.drop();
        manager = std::make_unique<PodManager>(clock, executor, Hands{cri.calls(), cgroups, node}, settings);
        manager->event_stream(EventStream::Unsupported);
    }
    static DesiredPod pod(const std::string& name, const std::string& command, const std::string& more = "") {
        const auto read = kube::read_pods("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
                                          "}\nspec:\n  terminationGracePeriodSeconds: 7\n" + more +
                                          "  containers: [{name: " + name +
                                          ", image: \"image:1\", command: [\"" + command + "\"]}]\n");
        EXPECT_TRUE(read) << (read ? "" : read.error().what());
        return make_static_pod((*read)[0], "n1", name + ".yaml", 1700000000s);
    }
    // Until nothing is left to do at this moment.
    void settle() {
        for (int rounds = 0; rounds < 1000; ++rounds) {
            manager->tick();
            if (!executor.run_one()) return;
        }
        FAIL() << "never comes to rest";
    }
    void pass(Nanos time) {
        for (const Nanos end = clock.monotonic() + time; clock.monotonic() < end;) {
            clock.advance(500ms);
            settle();
        }
    }
    kube::Json status(const std::string& name) {
        const kube::Json list = manager->pods();
        for (const auto& each : list["items"]) {
            if (each["metadata"]["name"] == name + "-n1") return each["status"];
        }
        return nullptr;
    }
    std::string waiting(const std::string& name) {
        return status(name)["containerStatuses"][0]["state"]
            .value("waiting", kube::Json::object())
            .value("reason", "");
    }

    FakeClock clock;
    FakeCri cri;
    QueueExecutor executor;
    NodeFacts node;
    PodCgroups cgroups{nullptr, node};
    ManagerSettings settings;
    std::string root;
    std::unique_ptr<PodManager> manager;
};

TEST_F(PodManagerTest, StartsAPodAndReportsIt) {
    manager->set_desired({pod("web", "httpd")});
    settle();
    EXPECT_EQ(cri.log, (std::vector<std::string>{"run web-n1", "start web 0"}));
    const auto s = status("web");
    EXPECT_EQ(s["phase"], "Running");
    EXPECT_EQ(s["podIP"], "10.0.0.1");
    EXPECT_EQ(s["containerStatuses"][0]["ready"], true);
    EXPECT_TRUE(read_file(root + "/kubelet/pods/" +
                          manager->pods()["items"][0]["metadata"]["uid"].get<std::string>() + "/etc-hosts"));
}

TEST_F(PodManagerTest, ACrashingContainerBacksOffAndCounts) {
    manager->set_desired({pod("web", "crash")});
    settle();
    cri.exit("web", 1);
    pass(1s);
    EXPECT_EQ(cri.log.back(), "start web 1");
    cri.exit("web", 1);
    pass(5s);
    EXPECT_EQ(waiting("web"), "CrashLoopBackOff");
    EXPECT_EQ(status("web")["containerStatuses"][0]["restartCount"], 1);
    EXPECT_EQ(status("web")["phase"], "Running");
    pass(7s);
    EXPECT_EQ(cri.log.back(), "start web 2");
    cri.exit("web", 1);
    pass(15s);
    EXPECT_EQ(waiting("web"), "CrashLoopBackOff");
    pass(7s);
    EXPECT_EQ(cri.log.back(), "start web 3");
}

TEST_F(PodManagerTest, ARemovedManifestEndsThePodGracefullyAndLeavesNothing) {
    manager->set_desired({pod("web", "httpd", "  volumes: [{name: m, emptyDir: {medium: Memory}}]\n")});
    settle();
    manager->set_desired({});
    settle();
    EXPECT_EQ(cri.log.back(), "stop web 7");
    EXPECT_EQ(cri.count(), 0u);
    EXPECT_EQ(manager->size(), 0u);
    EXPECT_TRUE(Dir::open(root + "/kubelet/pods")->list()->empty());
    EXPECT_TRUE(Dir::open(root + "/logs")->list()->empty());
}

TEST_F(PodManagerTest, AChangedManifestReplacesThePodInOrder) {
    manager->set_desired({pod("web", "one")});
    settle();
    cri.log.clear();
    manager->set_desired({pod("web", "two")});
    EXPECT_EQ(manager->size(), 2u);
    settle();
    EXPECT_EQ(cri.log, (std::vector<std::string>{"stop web 7", "run web-n1", "start web 0"}));
    EXPECT_EQ(manager->size(), 1u);
    EXPECT_EQ(status("web")["phase"], "Running");
}

TEST_F(PodManagerTest, ManifestsThatFlipQuicklyEndWithTheNewest) {
    manager->set_desired({pod("web", "one")});
    settle();
    cri.log.clear();
    manager->set_desired({pod("web", "two")});
    manager->set_desired({pod("web", "three")});
    manager->set_desired({pod("web", "one")});
    settle();
    // The first one was already ending when it was wanted again.
    EXPECT_EQ(cri.log, (std::vector<std::string>{"stop web 7", "run web-n1", "start web 0"}));
    EXPECT_EQ(manager->size(), 1u);
    EXPECT_EQ(manager->pods()["items"][0]["spec"]["containers"][0]["command"][0], "one");
}

TEST_F(PodManagerTest, ARestartedAgentAdoptsWhatRuns) {
    manager->set_desired({pod("web", "httpd")});
    settle();
    cri.exit("web", 1);
    pass(1s);
    const std::string before = cri.running();
    cri.log.clear();
    restart();
    manager->set_desired({pod("web", "httpd")});
    pass(5s);
    EXPECT_EQ(cri.running(), before);
    EXPECT_TRUE(cri.log.empty());
    EXPECT_EQ(status("web")["containerStatuses"][0]["restartCount"], 1);
}

TEST_F(PodManagerTest, ARestartedAgentEndsWhatNobodyWants) {
    manager->set_desired({pod("web", "httpd"), pod("db", "db")});
    settle();
    restart();
    pass(3s);
    EXPECT_NE(cri.running(), "") << "nothing may end before the sources are known";
    manager->set_desired({pod("db", "db")});
    pass(3s);
    EXPECT_EQ(cri.log.back(), "stop web 7");
    EXPECT_EQ(cri.count(), 2u);
    EXPECT_EQ(manager->size(), 1u);
}

TEST_F(PodManagerTest, ARuntimeThatIsAwayChangesNothing) {
    manager->set_desired({pod("web", "httpd")});
    settle();
    const std::string before = cri.running();
    cri.up = false;
    pass(10s);
    EXPECT_FALSE(manager->runtime().ready);
    EXPECT_EQ(manager->runtime().message, "connection refused");
    EXPECT_EQ(status("web")["phase"], "Running");
    manager->set_desired({pod("web", "httpd"), pod("db", "db")});
    pass(5s);
    cri.up = true;
    pass(3s);
    EXPECT_TRUE(manager->runtime().ready);
    EXPECT_EQ(status("db")["phase"], "Running");
    EXPECT_EQ(cri.running().substr(0, before.size()), before);
}

TEST_F(PodManagerTest, WithoutNetworkOnlyPodsOfTheHostsRun) {
    cri.network = false;
    manager->set_desired({pod("web", "httpd"), pod("host", "x", "  hostNetwork: true\n")});
    pass(2s);
    EXPECT_EQ(status("host")["phase"], "Running");
    EXPECT_EQ(status("host")["podIP"], "192.0.2.1");
    EXPECT_EQ(status("web")["phase"], "Pending");
    EXPECT_EQ(status("web")["message"], "network is not ready: cni is missing");
    cri.network = true;
    pass(6s);
    EXPECT_EQ(status("web")["phase"], "Running");
}

TEST_F(PodManagerTest, AMissingImageIsShownAndFoundLater) {
    cri.images.clear();
    manager->set_desired({pod("web", "httpd")});
    settle();
    EXPECT_EQ(waiting("web"), "ErrImagePull");
    EXPECT_EQ(status("web")["phase"], "Pending");
    cri.images.insert("image:1");
    pass(11s);
    EXPECT_EQ(status("web")["phase"], "Running");
}

TEST_F(PodManagerTest, AStartThatFailsIsACrash) {
    cri.broken_start.insert("web");
    manager->set_desired({pod("web", "/nope"), pod("db", "db")});
    pass(3s);
    EXPECT_EQ(waiting("web"), "CrashLoopBackOff");
    const auto last = status("web")["containerStatuses"][0]["lastState"]["terminated"];
    EXPECT_EQ(last["reason"], "StartError");
    EXPECT_EQ(last["exitCode"], 128);
    EXPECT_EQ(status("db")["phase"], "Running");
}

TEST_F(PodManagerTest, ADeadSandboxIsReplaced) {
    manager->set_desired({pod("web", "httpd")});
    settle();
    cri.kill_sandboxes();
    pass(2s);
    EXPECT_EQ(status("web")["phase"], "Running");
    EXPECT_EQ(status("web")["containerStatuses"][0]["restartCount"], 1);
    EXPECT_EQ(status("web")["podIP"], "10.0.0.3");
}

TEST_F(PodManagerTest, TooManyPodsAreRejected) {
    settings.admission.max_pods = 1;
    restart();
    manager->set_desired({pod("a", "x"), pod("b", "x")});
    settle();
    size_t failed = 0;
    const kube::Json list = manager->pods();
    for (const auto& each : list["items"])
        failed += each["status"].value("reason", "") == "OutOfpods" ? 1 : 0;
    EXPECT_EQ(failed, 1u);
}

TEST_F(PodManagerTest, SucceededPodsStay) {
    manager->set_desired({pod("job", "x", "  restartPolicy: Never\n")});
    settle();
    cri.exit("job", 0);
    pass(70s);
    EXPECT_EQ(status("job")["phase"], "Succeeded");
    EXPECT_EQ(cri.log.back(), "start job 0");
}

TEST_F(PodManagerTest, JumpsOfTheWallClockDoNotDelayRestarts) {
    manager->set_desired({pod("web", "httpd")});
    settle();
    cri.exit("web", 1);
    clock.set_wall(clock.wall() - 3600s);
    pass(1s);
    cri.exit("web", 1);
    pass(11s);
    EXPECT_EQ(cri.log.back(), "start web 2");
}

}  // namespace
}  // namespace orlop::agent
