// Bad input: each is answered with a sentence that names it, and nothing else suffers.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "base/dir.h"
#include "harness/fault.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;

// What crictl says of requests that cannot work.
class BadRequestTest : public NodeTest {};

TEST_F(BadRequestTest, ACommandThatDoesNotExistIsAStartErrorThatNamesIt) {
    const Json pod = pod_config(node(), "nocommand");
    const std::string pod_id = crictl().runp(pod);
    const std::string other = crictl().launch(pod_id, shell_config("other", kSleepUntilStopped), pod);
    const std::string id = crictl().create(pod_id, command_config("missing", {"/no/such/command"}), pod);
    const Reply reply = crictl().run({"start", id});
    EXPECT_NE(reply.code, 0);
    EXPECT_THAT(reply.err, HasSubstr("/no/such/command"));
    const Json status = crictl().container_status(id);
    EXPECT_EQ(status.value("state", ""), "CONTAINER_EXITED");
    EXPECT_EQ(status.value("reason", ""), "StartError");
    EXPECT_EQ(status.value("exitCode", -1), 128);
    EXPECT_THAT(status.value("message", ""), HasSubstr("/no/such/command"));
    EXPECT_EQ(crictl().container_status(other).value("state", ""), "CONTAINER_RUNNING");
}

TEST_F(BadRequestTest, AFileThatCannotBeRunIsAStartErrorToo) {
    const Json pod = pod_config(node(), "notexec");
    const std::string id =
        crictl().create(crictl().runp(pod), command_config("notexec", {"/etc/passwd"}), pod);
    EXPECT_THAT(crictl().run({"start", id}).err, HasSubstr("/etc/passwd"));
    EXPECT_EQ(crictl().container_status(id).value("exitCode", -1), 128);
}

TEST_F(BadRequestTest, AnImageThatIsNotThereIsNamed) {
    const Json pod = pod_config(node(), "noimage");
    const std::string pod_id = crictl().runp(pod);
    Json container = shell_config("noimage", "exit 0");
    container["image"]["image"] = "docker.io/library/never-imported:9";
    const Reply reply = crictl().run({"create", pod_id, crictl().write("noimage.json", container),
                                      crictl().write("noimage-pod.json", pod)});
    EXPECT_NE(reply.code, 0);
    EXPECT_THAT(reply.err, HasSubstr("never-imported"));
}

TEST_F(BadRequestTest, AMountWhoseSourceIsMissingIsNamed) {
    if (place().reference) GTEST_SKIP() << "SKIPPED: containerd makes the missing directory";
    const Json pod = pod_config(node(), "nomount");
    Json container = shell_config("nomount", "exit 0");
    container["mounts"] = {{{"host_path", "/no/such/directory"}, {"container_path", "/data"}}};
    const std::string pod_id = crictl().runp(pod);
    const Reply reply = crictl().run({"create", pod_id, crictl().write("nomount.json", container),
                                      crictl().write("nomount-pod.json", pod)});
    EXPECT_NE(reply.code, 0);
    EXPECT_THAT(reply.err, HasSubstr("/no/such/directory"));
}

TEST_F(BadRequestTest, UnknownIdsAreNotFound) {
    const std::string unknown(64, '7');
    EXPECT_THAT(crictl().run({"inspect", unknown}).err, HasSubstr("NotFound"));
    EXPECT_THAT(crictl().run({"inspectp", unknown}).err, HasSubstr("NotFound"));
    EXPECT_THAT(crictl().run({"start", unknown}).err, HasSubstr("NotFound"));
    EXPECT_THAT(crictl().run({"exec", "-s", unknown, "/bin/true"}).err, HasSubstr("NotFound"));
}

TEST_F(BadRequestTest, AnUnknownHandlerAndATakenNameAreRefused) {
    Json pod = pod_config(node(), "taken");
    const Reply handler =
        crictl().run({"runp", "-r", "no-such-handler", crictl().write("handler.json", pod)});
    EXPECT_NE(handler.code, 0);
    EXPECT_THAT(handler.err, HasSubstr("no-such-handler"));
    const std::string pod_id = crictl().runp(pod);
    crictl().create(pod_id, shell_config("taken", "exit 0"), pod);
    const Reply again =
        crictl().run({"create", pod_id, crictl().write("taken.json", shell_config("taken", "exit 1")),
                      crictl().write("taken-pod.json", pod)});
    EXPECT_NE(again.code, 0) << "another container under the same name and attempt";
}

// What orlop-runtime says when it cannot start.
class BadStartTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ORLOP_IT_NEEDS(Need::Root, Need::Orlop, Need::Cli, Need::Crictl, Need::Cni);
        node_ = std::make_unique<Node>("BadStartTest");
        const Status prepared = node_->prepare();
        ASSERT_TRUE(prepared) << prepared.error().what();
    }
    std::string write(const std::string& name, const std::string& text) {
        EXPECT_TRUE(Dir::open(node_->paths().base)->write_atomic(name, text));
        return node_->paths().base + "/" + name;
    }
    // One line on stderr, exit 2, and it names every word.
    void expect_usage_error(const std::vector<std::string>& argv, const std::vector<std::string>& words) {
        const Reply reply = refused(argv);
        EXPECT_EQ(reply.code, 2) << reply.err;
        ASSERT_EQ(complaint(reply).size(), 1u) << reply.err;
        for (const std::string& word : words) EXPECT_THAT(reply.err, HasSubstr(word));
    }
    // Not a usage error, but an end with a sentence that names every word.
    void expect_refusal(const Reply& reply, const std::vector<std::string>& words) {
        EXPECT_GT(reply.code, 0);
        EXPECT_LT(reply.code, 128) << "not by a signal";
        EXPECT_FALSE(complaint(reply).empty());
        for (const std::string& word : words) EXPECT_THAT(reply.err, HasSubstr(word));
    }

    std::unique_ptr<Node> node_;
};

TEST_F(BadStartTest, BadFlagsEndWithExitTwoAndOneLine) {
    expect_usage_error(node_->runtime_argv({"--no-such-flag"}), {"--no-such-flag"});
    expect_usage_error(node_->runtime_argv({"stray"}), {"stray"});
    expect_usage_error({place().bin("orlop-runtime"), "--cgroup-driver", "docker"}, {"docker"});
    expect_usage_error({place().bin("orlop-runtime"), "--log-level", "loud"}, {"loud"});
    expect_usage_error({place().bin("orlop-runtime"), "--root", "not/absolute"}, {"not/absolute"});
    expect_usage_error({place().bin("orlop"), "status", "--no-such-flag"}, {"--no-such-flag"});
    expect_usage_error({place().bin("orlop"), "no-such-command"}, {"no-such-command"});
}

TEST_F(BadStartTest, UnknownConfigKeysEndWithExitTwoAndOneLine) {
    const std::string unknown = write("unknown.toml", "root = \"/var/lib/orlop\"\ncolour = \"red\"\n");
    expect_usage_error(node_->runtime_argv({"--config", unknown}), {"colour", "unknown.toml"});
    const std::string nested = write("nested.toml", "[cni]\nplugin_dir = \"/x\"\n");
    expect_usage_error(node_->runtime_argv({"--config", nested}), {"plugin_dir", "nested.toml"});
    const std::string type = write("type.toml", "root = 7\n");
    expect_usage_error(node_->runtime_argv({"--config", type}), {"root", "type.toml"});
    const std::string broken = write("broken.toml", "root = = 7\n");
    expect_usage_error(node_->runtime_argv({"--config", broken}), {"broken.toml"});
    expect_usage_error(node_->runtime_argv({"--config", "/no/such/file.toml"}), {"/no/such/file.toml"});
}

TEST_F(BadStartTest, ASocketInUseIsNamedAndItsOwnerGoesOn) {
    const Status started = node_->start();
    ASSERT_TRUE(started) << started.error().what();
    expect_refusal(refused(node_->runtime_argv({})), {node_->paths().socket});
    EXPECT_TRUE(node_->crictl().run({"version"}).ok());
}

TEST_F(BadStartTest, AStateDirectoryOfSomebodyElseIsRefused) {
    ASSERT_EQ(chown(node_->paths().state.c_str(), 33, 33), 0);
    expect_refusal(refused(node_->runtime_argv()), {node_->paths().state, "root"});
    ASSERT_EQ(chown(node_->paths().state.c_str(), 0, 0), 0);
    ASSERT_EQ(chmod(node_->paths().root.c_str(), 0777), 0);
    expect_refusal(refused(node_->runtime_argv()), {node_->paths().root});
}

TEST_F(BadStartTest, WithoutRootItSaysSo) {
    std::vector<std::string> argv = {"/usr/bin/setpriv", "--reuid", "65534",
                                     "--regid",          "65534",   "--clear-groups"};
    const std::vector<std::string> runtime = node_->runtime_argv();
    argv.insert(argv.end(), runtime.begin(), runtime.end());
    const Reply reply = refused(argv);
    EXPECT_GT(reply.code, 0);
    EXPECT_THAT(reply.err, HasSubstr("root"));
}

// A broken or missing network configuration: visible, and only pods with a network wait.
class BadNetworkTest : public BadStartTest {
  protected:
    void TearDown() override {
        if (node_ != nullptr && node_->runtime().running()) node_->crictl().remove_all();
    }
    void configure(const std::string& text) {
        const Dir dir = Dir::open(node_->paths().cni_conf).value();
        if (text.empty()) {
            EXPECT_TRUE(dir.unlink("10-orlopit.conflist"));
        } else {
            EXPECT_TRUE(dir.write_atomic("10-orlopit.conflist", text));
        }
    }
    Json network_condition() {
        const Json info = node_->crictl().json({"info"});
        for (const Json& c : info.value(Json::json_pointer("/status/conditions"), Json::array())) {
            if (c.value("type", "") == "NetworkReady") return c;
        }
        return Json::object();
    }
    bool network_becomes(bool ready) {
        return eventually(scaled(10), [&] { return network_condition().value("status", !ready) == ready; });
    }
    void expect_network_trouble(const std::string& word) {
        ASSERT_TRUE(network_becomes(false));
        const Json condition = network_condition();
        EXPECT_EQ(condition.value("reason", ""), "NetworkPluginNotReady");
        EXPECT_THAT(condition.value("message", ""), HasSubstr(word));
        const Reply refused_pod =
            node_->crictl().run({"runp", node_->crictl().write("pod.json", pod_config(*node_, "waits"))});
        EXPECT_NE(refused_pod.code, 0);
        EXPECT_THAT(refused_pod.err, HasSubstr(word));
    }
};

TEST_F(BadNetworkTest, BrokenConfigurationIsReportedAndHostNetworkPodsRun) {
    const Status started = node_->start();
    ASSERT_TRUE(started) << started.error().what();
    ASSERT_TRUE(node_->import(busybox_image(place().busybox)));
    ASSERT_TRUE(node_->stop());
    configure("{ \"cniVersion\": \"1.0.0\", \"name\": ");
    ASSERT_TRUE(node_->runtime().start(node_->runtime_argv(), node_->paths().log));
    ASSERT_TRUE(eventually(scaled(10), [&] { return connects(node_->paths().socket); }));
    expect_network_trouble("10-orlopit.conflist");
    const Json host = host_pod_config(*node_, "host");
    const std::string pod = node_->crictl().runp(host);
    const std::string id = node_->crictl().launch(pod, shell_config("host", "exit 0"), host);
    EXPECT_EQ(node_->crictl().wait_exit(id).value("reason", ""), "Completed");

    configure(node_->network_config());
    EXPECT_TRUE(network_becomes(true)) << "a repaired file counts at once: " << network_condition().dump();
    EXPECT_NE(node_->crictl().runp(pod_config(*node_, "after")), "");
}

TEST_F(BadNetworkTest, NoConfigurationNamesTheDirectoryAndAMissingPluginNamesThePlugin) {
    const Status started = node_->start();
    ASSERT_TRUE(started) << started.error().what();
    ASSERT_TRUE(network_becomes(true));
    configure("");
    const auto stopped = node_->stop();
    ASSERT_TRUE(stopped) << stopped.error().what();
    ASSERT_TRUE(node_->runtime().start(node_->runtime_argv(), node_->paths().log));
    ASSERT_TRUE(eventually(scaled(10), [&] { return connects(node_->paths().socket); }));
    expect_network_trouble(node_->paths().cni_conf);
    configure(R"({"cniVersion":"1.0.0","name":"x","plugins":[{"type":"no-such-plugin"}]})");
    EXPECT_TRUE(eventually(scaled(10), [&] {
        return network_condition().value("message", "").find("no-such-plugin") != std::string::npos;
    })) << network_condition().dump();
}

}  // namespace
}  // namespace orlop::it
