// The runtime dies at each stage of each call that changes something (base/fault.h); shims die or hang; CNI
// fails. Each time the same call, repeated, or the removal has to succeed, and nothing may be left.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "base/dir.h"
#include "harness/dialog.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class Faults : public NodeTest {
  protected:
    void SetUp() override {
        if (place().reference) GTEST_SKIP() << "SKIPPED: the fault points are orlop-runtime's";
        NodeTest::SetUp();
    }
    void restart_with(const std::string& point) {
        ASSERT_TRUE(node().runtime().end(SIGKILL, scaled(20)));
        setenv("ORLOP_FAULT", point.c_str(), 1);
        const Status started = node().start();
        unsetenv("ORLOP_FAULT");
        ASSERT_TRUE(started) << started.error().what();
    }
    void restart() {
        const Status started = node().start();
        ASSERT_TRUE(started) << started.error().what();
    }
    bool dies() {
        return eventually(scaled(20), [&] { return node().runtime().ended(); });
    }
    std::string state(const std::string& container) {
        return crictl().container_status(container).value("state", "");
    }
};

struct Point {
    const char* call;   // runp, create, start, stop, rm, stopp, rmp
    const char* point;  // as in the source
};

std::string name_of(const ::testing::TestParamInfo<Point>& info) {
    std::string name = std::string(info.param.call) + "_" + info.param.point;
    for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    return name;
}

class RuntimeKilled : public Faults, public ::testing::WithParamInterface<Point> {};

INSTANTIATE_TEST_SUITE_P(
    , RuntimeKilled,
    ::testing::Values(Point{"runp", "network namespace"}, Point{"runp", "record"}, Point{"runp", "shim"},
                      Point{"runp", "cgroup"}, Point{"runp", "pause"}, Point{"runp", "shm"},
                      Point{"runp", "pod network"}, Point{"runp", "sandbox ready"},
                      Point{"create", "waiting for the pod"}, Point{"create", "container directory"},
                      Point{"create", "container plan"}, Point{"create", "container record"},
                      Point{"start", "starting"}, Point{"start", "container cgroup"},
                      Point{"start", "started"}, Point{"start", "running"}, Point{"stop", "stop signal"},
                      Point{"stop", "stopped"}, Point{"rm", "container ended"},
                      Point{"rm", "container erased"}, Point{"stopp", "sandbox stopping"},
                      Point{"stopp", "containers stopped"}, Point{"stopp", "torn down"},
                      Point{"rmp", "sandbox stopped"}, Point{"rmp", "sandbox erased"}),
    name_of);

TEST_P(RuntimeKilled, AtAnyStageTheCallIsRepeatedWithSuccess) {
    const std::string call = GetParam().call;
    const Launched bystander = launch("bystander", kSleepUntilStopped);
    const pid_t pid = crictl().container_pid(bystander.container);
    const Json pod = pod_config(node(), "victim");
    const Json container = shell_config("victim", kSleepUntilStopped);
    const std::string pod_file = crictl().write("victim-pod.json", pod);
    const std::string container_file = crictl().write("victim.json", container);
    Launched victim;
    if (call != "runp") victim.pod = crictl().must({"runp", pod_file});
    if (call != "runp" && call != "create") {
        victim.container = crictl().must({"create", victim.pod, container_file, pod_file});
        if (call != "start") crictl().must({"start", victim.container});
    }
    std::vector<std::string> args = {call};
    if (call == "runp") args.push_back(pod_file);
    if (call == "create") args.insert(args.end(), {victim.pod, container_file, pod_file});
    if (call == "start") args.push_back(victim.container);
    if (call == "stop") args.insert(args.end(), {"-t", "5", victim.container});
    if (call == "rm") args.insert(args.end(), {"-f", victim.container});
    if (call == "stopp") args.push_back(victim.pod);
    if (call == "rmp") args.insert(args.end(), {"-f", victim.pod});

    restart_with(GetParam().point);
    EXPECT_FALSE(crictl().run(args).ok());
    ASSERT_TRUE(dies()) << "the runtime never came to \"" << GetParam().point << "\"";
    restart();
    if (call == "start" && state(victim.container) != "CONTAINER_CREATED") {
        // It started, or its start is lost: either is said, and nothing half.
        EXPECT_THAT(state(victim.container), AnyOf("CONTAINER_RUNNING", "CONTAINER_EXITED"));
    } else {
        const Reply again = crictl().run(args);
        // crictl looks before it removes; what is gone is as good as removed.
        const bool gone = call.starts_with("rm") && again.err.find("NotFound") != std::string::npos;
        EXPECT_TRUE(again.ok() || gone) << again.err;
    }
    EXPECT_EQ(crictl().container_pid(bystander.container), pid) << "another pod's container was restarted";
    EXPECT_EQ(state(bystander.container), "CONTAINER_RUNNING");
}

TEST_F(Faults, AShimThatIsKilledTakesItsPodAlongAndThePodCanBeRemoved) {
    const Launched c = launch("killed", kSleepUntilStopped);
    const Launched other = launch("other", kSleepUntilStopped);
    const pid_t first = crictl().container_pid(c.container);
    const auto shim =
        static_cast<pid_t>(crictl().json({"inspectp", c.pod})["info"]["sandboxMetadata"].value("shimPid", 0));
    ASSERT_GT(shim, 0);
    ASSERT_EQ(kill(shim, SIGKILL), 0);
    EXPECT_TRUE(eventually(scaled(20), [&] { return state(c.container) == "CONTAINER_EXITED"; }));
    EXPECT_EQ(crictl().container_status(c.container).value("exitCode", 0), 255);
    EXPECT_EQ(crictl().pod_status(c.pod).value("state", ""), "SANDBOX_NOTREADY");
    EXPECT_TRUE(eventually(scaled(20), [&] { return kill(first, 0) != 0; })) << "its process lives on";
    EXPECT_EQ(state(other.container), "CONTAINER_RUNNING");
    crictl().must({"rmp", "-f", c.pod});
}

TEST_F(Faults, AShimThatHangsIsGivenUpInBoundedTime) {
    const Launched c = launch("hung", kSleepUntilStopped);
    const auto shim =
        static_cast<pid_t>(crictl().json({"inspectp", c.pod})["info"]["sandboxMetadata"].value("shimPid", 0));
    ASSERT_GT(shim, 0);
    ASSERT_EQ(kill(shim, SIGSTOP), 0);
    const auto begin = std::chrono::steady_clock::now();
    const Reply stopped = crictl().run({"stopp", c.pod}, scaled(120));
    EXPECT_TRUE(stopped.ok()) << stopped.err;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, scaled(60));
    // A zombie has no command line any more, whenever its parent takes notice.
    EXPECT_EQ(read_file("/proc/" + std::to_string(shim) + "/cmdline").value_or(""), "")
        << "the shim is still there";
    crictl().must({"rmp", c.pod});
}

TEST_F(Faults, ACreateWhoseClientGaveUpIsHandedToTheNext) {
    // CNI takes longer than the client waits.
    const std::string slow = node().paths().base + "/slow";
    ASSERT_TRUE(make_dirs(slow));
    const std::string hold = slow + "/hold";
    ASSERT_TRUE(Dir::open(slow)->write_atomic("hold", ""));
    const std::string plugin = "#!/bin/sh\nwhile [ $CNI_COMMAND = ADD ] && [ -e " + hold +
                               " ]; do sleep 0.05; done\ncat >/dev/null\n"
                               "[ $CNI_COMMAND = ADD ] && echo "
                               "'{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.9.9.9/24\"}]}'\n"
                               "exit 0\n";
    ASSERT_TRUE(Dir::open(slow)->write_atomic("slow-plugin", plugin, 0755));
    const auto conf = Dir::open(node().paths().cni_conf);
    ASSERT_TRUE(conf);
    ASSERT_TRUE(conf->write_atomic(
        "00-slow.conflist",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"slow\",\"plugins\":[{\"type\":\"slow-plugin\"}]}"));
    ASSERT_TRUE(node().runtime().end(SIGTERM, scaled(20)));
    const Status started = node().start({"--cni-bin-dir", slow});
    ASSERT_TRUE(started) << started.error().what();
    const std::string file = crictl().write("slow.json", pod_config(node(), "slow"));
    const Reply first = it::run(crictl().argv({"runp", file}, std::chrono::seconds(1)));
    EXPECT_FALSE(first.ok());
    Dialog retry(crictl().argv({"runp", file}, scaled(60)));
    std::filesystem::remove(hold);
    EXPECT_EQ(retry.finish(), 0) << retry.err;
    const Json pods = crictl().json({"pods", "-o", "json"});
    EXPECT_EQ(pods["items"].size(), 1u) << pods.dump(1);
    ASSERT_TRUE(conf->unlink("00-slow.conflist"));
}

}  // namespace
}  // namespace orlop::it
