// What `make run` and `make stop` do, under a name of its own: the example pods answer, and nothing is left.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "harness/leak_check.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;

constexpr const char* kName = "orlopit-ud";
const std::string kSource = ORLOP_IT_SOURCE_DIR;

class UpDownTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ORLOP_IT_NEEDS(Need::Root, Need::Cgroups, Need::Cni, Need::Busybox, Need::Orlop, Need::Agent,
                       Need::Cli);
        NodePaths paths;
        paths.run = std::string("/run/") + kName;
        paths.base = std::string("/var/lib/") + kName;
        paths.root = paths.base;
        paths.state = paths.run;
        paths.cni_ipam = paths.run + "/cni-ipam";
        paths.cni_cache = paths.base + "/cni/cache";
        leaks_ = std::make_unique<LeakCheck>(paths);
    }
    void TearDown() override {
        if (leaks_ != nullptr && up_) (void)script("stop");
    }
    Reply script(const std::string& name) {
        return run({kSource + "/scripts/" + name, "--name", kName, "--bin-dir", place().bin_dir},
                   {"ORLOP_RUN_WAIT=" + std::to_string(60 * place().time_factor)}, scaled(120));
    }
    Json status() {
        const Reply reply = run({place().bin("orlop"), "status", "--name", kName, "-o", "json"});
        Json parsed = Json::parse(reply.out, nullptr, false);
        return parsed.is_discarded() ? Json::object() : parsed;
    }
    Json pod(const std::string& prefix) {
        for (const Json& found : status().value("pods", Json::array())) {
            if (found.value("name", "").starts_with(prefix)) return found;
        }
        return Json::object();
    }
    bool both_ready() {
        return pod("web").value("ready", false) && pod("two-containers").value("ready", false);
    }
    std::string page() {
        return run({"/usr/bin/curl", "-s", "--max-time", "5",
                    "http://" + pod("web").value("ip", "") + ":8080/"})
            .out;
    }
    // The pid of a daemon, by its program and the node's name in its command line.
    pid_t daemon(const std::string& program) {
        const Reply found =
            run({"/usr/bin/pgrep", "-o", "-f", "^" + place().bin(program) + " .*/" + kName + "/"});
        return found.ok() ? std::stoi(found.out) : 0;
    }

    std::unique_ptr<LeakCheck> leaks_;
    bool up_ = false;
};

TEST_F(UpDownTest, TheExamplesRunSurviveTheirDaemonsAndLeaveNothing) {
    up_ = true;
    const Reply started = script("run");
    ASSERT_EQ(started.code, 0) << started.err << started.out;
    EXPECT_THAT(started.out, HasSubstr("web"));
    EXPECT_THAT(started.out, HasSubstr("two-containers"));
    EXPECT_TRUE(both_ready()) << status().dump(2);
    EXPECT_EQ(pod("two-containers").value("readyContainers", 0), 2);
    EXPECT_THAT(page(), HasSubstr("Orlop serves this page"));
    EXPECT_TRUE(eventually(scaled(20), [&] {
        return run({place().bin("orlop"), "logs", "--name", kName, "two-containers", "-c", "reader"})
                   .out.find("line 1 from the writer") != std::string::npos;
    }));

    for (const char* program : {"orlop-runtime", "orlop-agent"}) {
        const pid_t before = daemon(program);
        ASSERT_GT(before, 0) << program;
        ASSERT_EQ(kill(before, SIGKILL), 0);
        EXPECT_TRUE(eventually(scaled(30), [&] { return daemon(program) > 0 && daemon(program) != before; }))
            << program << " is not started again";
    }
    EXPECT_TRUE(eventually(scaled(30), [&] { return both_ready(); })) << status().dump(2);
    EXPECT_EQ(pod("web").value("restarts", -1), 0);
    EXPECT_THAT(page(), HasSubstr("Orlop serves this page"));

    std::vector<std::string> uids;
    for (const Json& each : status().value("pods", Json::array())) uids.push_back(each.value("uid", "?"));
    const Reply stopped = script("stop");
    EXPECT_EQ(stopped.code, 0) << stopped.err << stopped.out;
    up_ = stopped.code != 0;
    leaks_->expect_clean();
    for (const std::string& path : {std::string("/run/") + kName, std::string("/var/lib/") + kName,
                                    std::string("/var/log/") + kName + "-pods"})
        EXPECT_FALSE(std::filesystem::exists(path)) << path;
    for (std::string uid : uids) {
        EXPECT_EQ(run({"/usr/bin/find", "/sys/fs/cgroup", "-name", "*pod" + uid + "*"}).out, "");
        std::replace(uid.begin(), uid.end(), '-', '_');
        EXPECT_EQ(run({"/usr/bin/find", "/sys/fs/cgroup", "-name", "*pod" + uid + "*"}).out, "");
    }
    EXPECT_FALSE(run({"/bin/sh", "-c", std::string("ip link show ") + kName + "0 2>/dev/null"}).ok())
        << "the bridge";
}

TEST_F(UpDownTest, StatusOfANodeThatDoesNotRunSaysHowToStartIt) {
    const Reply reply = run({place().bin("orlop"), "status", "--name", kName});
    EXPECT_EQ(reply.code, 1);
    EXPECT_THAT(reply.err, HasSubstr("orlop up"));
}

}  // namespace
}  // namespace orlop::it
