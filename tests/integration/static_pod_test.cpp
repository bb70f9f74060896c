// Agent and runtime end to end: what a manifest in the folder brings about.
#include <gmock/gmock.h>
#include <signal.h>

#include "base/dir.h"
#include "harness/agent.h"
#include "harness/fault.h"
#include "harness/node_test.h"
#include "harness/numbered_lines.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;

constexpr const char* kQuickEnd = "  terminationGracePeriodSeconds: 2\n";

class StaticPodTest : public NodeTest {
  protected:
    void SetUp() override {
        ORLOP_IT_NEEDS(Need::Agent, Need::Orlop);
        NodeTest::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        agent_ = std::make_unique<Agent>(node());
        const Status started = agent_->start();
        ASSERT_TRUE(started) << started.error().what();
    }
    void TearDown() override {
        if (agent_ != nullptr) {
            for (const std::string& file : Dir::open(agent_->manifests())->list().value_or({}))
                agent_->remove_manifest(file);
            EXPECT_TRUE(eventually(scaled(30), [&] { return no_pods() && agent_forgot(); }))
                << "pods outlive their manifests: " << agent_->get("/pods").dump(2);
            if (agent_->process().running()) {
                const auto code = agent_->stop();
                EXPECT_TRUE(code && *code == 0);
            }
            if (HasFailure()) std::cerr << "--- agent log ---\n" << agent_->log_tail() << "\n---\n";
        }
        NodeTest::TearDown();
        agent_.reset();
    }
    bool no_pods() {
        const Json pods = crictl().json({"pods", "-o", "json"});
        return pods.is_object() && pods.value("items", Json::array()).empty();
    }
    // A pod that the agent still shows is one whose cgroup and directories it has not taken away yet.
    bool agent_forgot() {
        const Json pods = agent_->get("/pods");
        return !agent_->process().running() ||
               (pods.is_object() && pods.value("items", Json::array()).empty());
    }
    bool becomes_ready(const std::string& name) {
        return eventually(scaled(30), [&] { return agent_->ready(name); });
    }
    // "waiting", "running" or "terminated" of the first container, with its reason.
    Json container_status(const std::string& name) {
        const Json pod = agent_->pod(name);
        return pod.is_object() ? pod.value(Json::json_pointer("/status/containerStatuses/0"), Json::object())
                               : Json::object();
    }
    std::string uid_of(const std::string& name) {
        const Json pod = agent_->pod(name);
        return pod.is_object() ? pod.value(Json::json_pointer("/metadata/uid"), "") : "";
    }
    // The container as crictl sees it.
    std::string container_id(const std::string& pod_name) {
        return crictl().must({"ps", "-q", "--label", "io.kubernetes.pod.name=" + pod_name + "-itnode"});
    }
    std::string log_text(const std::string& name, int restart = 0) {
        const auto text = read_file(node().paths().pod_logs + "/it_" + name + "-itnode_" + uid_of(name) +
                                        "/main/" + std::to_string(restart) + ".log",
                                    256u << 20);
        return text ? *text : "";
    }

    std::unique_ptr<Agent> agent_;
};

TEST_F(StaticPodTest, AManifestBecomesAReadyPodThatServes) {
    agent_->manifest(
        "web.yaml", manifest_of("web", "echo hi >/www/index.html; exec httpd -f -p 8080 -h /www", kQuickEnd));
    ASSERT_TRUE(becomes_ready("web")) << agent_->get("/pods").dump(2);
    const Json pod = agent_->pod("web");
    EXPECT_EQ(pod.value(Json::json_pointer("/status/phase"), ""), "Running");
    const std::string ip = pod.value(Json::json_pointer("/status/podIP"), "");
    EXPECT_THAT(ip, ::testing::StartsWith("10.88.66."));
    Reply page;
    EXPECT_TRUE(eventually(scaled(15), [&] {
        page = run({"/usr/bin/curl", "-s", "--max-time", "5", "http://" + ip + ":8080/"});
        return page.ok();
    }));
    EXPECT_EQ(page.out, "hi\n");
    EXPECT_TRUE(run({"/usr/bin/curl", "-sf", "http://127.0.0.1:10248/healthz"}).ok());
}

TEST_F(StaticPodTest, SeveralDocumentsInOneFileAndJsonBecomePodsToo) {
    agent_->manifest("two.yaml", manifest_of("first", kSleepUntilStopped, kQuickEnd) + "---\n" +
                                     manifest_of("second", kSleepUntilStopped, kQuickEnd));
    const Json pod = {{"apiVersion", "v1"},
                      {"kind", "Pod"},
                      {"metadata", {{"name", "third"}, {"namespace", "it"}}},
                      {"spec",
                       {{"terminationGracePeriodSeconds", 2},
                        {"containers",
                         {{{"name", "main"},
                           {"image", kBusyboxImage},
                           {"imagePullPolicy", "Never"},
                           {"command", {"/bin/sh", "-c", kSleepUntilStopped}}}}}}}};
    agent_->manifest("third.json", pod.dump());
    for (const char* name : {"first", "second", "third"}) EXPECT_TRUE(becomes_ready(name)) << name;
}

TEST_F(StaticPodTest, AChangedManifestReplacesThePod) {
    agent_->manifest("p.yaml", manifest_of("p", kSleepUntilStopped, kQuickEnd));
    ASSERT_TRUE(becomes_ready("p"));
    const std::string before = uid_of("p"), old_container = container_id("p");
    agent_->manifest("p.yaml", manifest_of("p", std::string("echo new; ") + kSleepUntilStopped, kQuickEnd));
    ASSERT_TRUE(eventually(scaled(30), [&] { return uid_of("p") != before && agent_->ready("p"); }));
    EXPECT_NE(container_id("p"), old_container);
    EXPECT_THAT(log_text("p"), HasSubstr("new"));
}

TEST_F(StaticPodTest, ABrokenManifestIsReportedAndTheLastGoodPodRunsOn) {
    agent_->manifest("p.yaml", manifest_of("p", kSleepUntilStopped, kQuickEnd));
    ASSERT_TRUE(becomes_ready("p"));
    const std::string container = container_id("p");
    agent_->manifest("p.yaml", "kind: Pod\nspec: [this is no pod");
    ASSERT_TRUE(eventually(scaled(30), [&] {
        return agent_->get("/status").dump().find("p.yaml") != std::string::npos;
    })) << agent_->get("/status").dump(2);
    EXPECT_EQ(container_id("p"), container);
    EXPECT_TRUE(agent_->ready("p"));
    agent_->manifest("p.yaml", manifest_of("p", kSleepUntilStopped, kQuickEnd));
    EXPECT_TRUE(eventually(
        scaled(30), [&] { return agent_->get("/status").dump().find("p.yaml") == std::string::npos; }));
    EXPECT_EQ(container_id("p"), container) << "the same pod again: nothing to replace";
}

TEST_F(StaticPodTest, ARemovedManifestEndsThePodGracefully) {
    agent_->manifest("p.yaml",
                     manifest_of("p", "trap 'echo goodbye; exit 0' TERM; while :; do sleep 0.1; done",
                                 "  terminationGracePeriodSeconds: 20\n"));
    ASSERT_TRUE(becomes_ready("p"));
    const std::string log = node().paths().pod_logs + "/it_p-itnode_" + uid_of("p") + "/main/0.log";
    // Kept open: the log directory goes with the pod.
    const UniqueFd kept(open(log.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(kept);
    agent_->remove_manifest("p.yaml");
    EXPECT_TRUE(eventually(scaled(30), [&] { return no_pods(); }));
    EXPECT_THAT(read_all(kept.get()).value(), HasSubstr("goodbye"));
    // The agent hears of the end after it has happened.
    EXPECT_TRUE(eventually(scaled(10), [&] { return agent_->pod("p").is_null(); }));
}

TEST_F(StaticPodTest, AFailingContainerIsRestartedAndItsBackoffIsVisible) {
    agent_->manifest("c.yaml", manifest_of("c", "echo run; exit 4", kQuickEnd));
    EXPECT_TRUE(eventually(scaled(60), [&] {
        return container_status("c").value(Json::json_pointer("/state/waiting/reason"), "") ==
               "CrashLoopBackOff";
    })) << container_status("c").dump(2);
    const Json status = container_status("c");
    EXPECT_GE(status.value("restartCount", 0), 1);
    EXPECT_EQ(status.value(Json::json_pointer("/lastState/terminated/exitCode"), -1), 4);
}

TEST_F(StaticPodTest, APodThatMayNotRestartSucceeds) {
    agent_->manifest("job.yaml", manifest_of("job", "echo done", "  restartPolicy: Never\n"));
    EXPECT_TRUE(eventually(scaled(30), [&] {
        const Json pod = agent_->pod("job");
        return pod.is_object() && pod.value(Json::json_pointer("/status/phase"), "") == "Succeeded";
    }));
    EXPECT_EQ(container_status("job").value("restartCount", -1), 0);
}

TEST_F(StaticPodTest, AnOutOfMemoryKillIsShownInThePodsStatus) {
    agent_->manifest("oom.yaml", manifest_of("oom", "exec dd if=/dev/zero of=/dev/null bs=200M count=1",
                                             "  restartPolicy: Never\n") +
                                     "      resources:\n        limits: { memory: 20Mi }\n");
    EXPECT_TRUE(eventually(scaled(30), [&] {
        return container_status("oom").value(Json::json_pointer("/state/terminated/reason"), "") ==
               "OOMKilled";
    })) << container_status("oom").dump(2);
    EXPECT_EQ(container_status("oom").value(Json::json_pointer("/state/terminated/exitCode"), -1), 137);
}

TEST_F(StaticPodTest, ACommandThatDoesNotExistIsAStartErrorInThePodsStatus) {
    std::string missing = manifest_of("missing", "x", "  restartPolicy: Never\n");
    missing.replace(missing.find("/bin/sh"), 7, "/no/such");
    agent_->manifest("missing.yaml", missing);
    agent_->manifest("other.yaml", manifest_of("other", kSleepUntilStopped, kQuickEnd));
    EXPECT_TRUE(becomes_ready("other"));
    EXPECT_TRUE(eventually(scaled(30), [&] {
        return container_status("missing").value(Json::json_pointer("/state/terminated/reason"), "") ==
               "StartError";
    })) << container_status("missing").dump(2);
    EXPECT_EQ(container_status("missing").value(Json::json_pointer("/state/terminated/exitCode"), -1), 128);
    EXPECT_THAT(container_status("missing").dump(), HasSubstr("/no/such"));
}

TEST_F(StaticPodTest, WithoutANetworkPodsWaitVisiblyAndHostNetworkPodsRun) {
    const Dir conf = Dir::open(node().paths().cni_conf).value();
    ASSERT_TRUE(conf.unlink("10-orlopit.conflist"));
    agent_->manifest("host.yaml", manifest_of("host", kSleepUntilStopped,
                                              std::string(kQuickEnd) + "  hostNetwork: true\n"));
    // The runtime keeps the last good network while its file is away: a restart is what forgets it.
    const auto again = node().runtime().end(SIGKILL, scaled(20));
    ASSERT_TRUE(again) << again.error().what();
    ASSERT_TRUE(node().runtime().start(node().runtime_argv(), node().paths().log));
    agent_->manifest("waits.yaml", manifest_of("waits", kSleepUntilStopped, kQuickEnd));
    EXPECT_TRUE(becomes_ready("host"));
    EXPECT_TRUE(eventually(scaled(30), [&] { return agent_->pod("waits").is_object(); }));
    EXPECT_FALSE(agent_->ready("waits"));
    ASSERT_TRUE(conf.write_atomic("10-orlopit.conflist", node().network_config()));
    EXPECT_TRUE(eventually(scaled(60), [&] { return agent_->ready("waits"); }))
        << agent_->get("/pods").dump(2);
}

TEST_F(StaticPodTest, NothingStopsWhenTheAgentAndThenTheRuntimeIsKilled) {
    agent_->manifest("log.yaml", manifest_of("log", kThousandLinesASecond, kQuickEnd));
    ASSERT_TRUE(becomes_ready("log"));
    const std::string container = container_id("log");
    const pid_t pid = crictl().container_pid(container);
    const auto grows = [&] {
        const size_t from = log_text("log").size();
        return eventually(scaled(30), [&] { return log_text("log").size() > from + 50'000; });
    };
    EXPECT_TRUE(grows());
    ASSERT_TRUE(agent_->process().end(SIGKILL, scaled(20)));
    ASSERT_TRUE(node().runtime().end(SIGKILL, scaled(20)));
    ASSERT_EQ(kill(pid, 0), 0);
    const Status runtime = node().start();
    ASSERT_TRUE(runtime) << runtime.error().what();
    const Status agent = agent_->start();
    ASSERT_TRUE(agent) << agent.error().what();
    EXPECT_TRUE(becomes_ready("log"));
    EXPECT_EQ(container_id("log"), container);
    EXPECT_EQ(crictl().container_pid(container), pid);
    EXPECT_EQ(container_status("log").value("restartCount", -1), 0);
    EXPECT_TRUE(grows());
    const std::string log = node().paths().pod_logs + "/it_log-itnode_" + uid_of("log") + "/main/0.log";
    const UniqueFd kept(open(log.c_str(), O_RDONLY | O_CLOEXEC));
    agent_->remove_manifest("log.yaml");
    EXPECT_TRUE(eventually(scaled(30), [&] { return no_pods(); }));
    EXPECT_EQ(numbered_lines_defect(read_all(kept.get(), 256u << 20).value_or("")), "");
}

TEST_F(StaticPodTest, BadFlagsAndUnknownFieldsEndTheAgentWithExitTwoAndOneLine) {
    const auto expect_usage_error = [](const std::vector<std::string>& argv, const std::string& word) {
        const Reply reply = refused(argv);
        EXPECT_EQ(reply.code, 2) << reply.err;
        EXPECT_EQ(complaint(reply).size(), 1u) << reply.err;
        EXPECT_THAT(reply.err, HasSubstr(word));
    };
    expect_usage_error(agent_->argv({"--no-such-flag"}), "--no-such-flag");
    const std::string file = node().paths().base + "/bad-kubelet.yaml";
    ASSERT_TRUE(Dir::open(node().paths().base)
                    ->write_atomic("bad-kubelet.yaml",
                                   "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: "
                                   "KubeletConfiguration\nstaticPodPaht: /x\n"));
    expect_usage_error({place().bin("orlop-agent"), "--config", file}, "staticPodPaht");
}

}  // namespace
}  // namespace orlop::it
