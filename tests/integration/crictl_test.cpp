// crictl against the runtime: every command of the issue, asserted on what it says.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/dir.h"
#include "harness/mount_table.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class CrictlTest : public NodeTest {};

bool listed(const Json& list, const std::string& array, const std::string& id) {
    for (const Json& item : list.value(array, Json::array())) {
        if (item.value("id", "") == id) return true;
    }
    return false;
}

// The image with exactly that tag; an empty object if there is none.
Json tagged(const Json& list, const std::string& tag) {
    for (const Json& image : list.value("images", Json::array())) {
        if (image.value("repoTags", Json::array()) == Json::array({tag})) return image;
    }
    return Json::object();
}

std::string condition(const Json& info, const std::string& type) {
    for (const Json& c : info.value(Json::json_pointer("/status/conditions"), Json::array())) {
        if (c.value("type", "") == type)
            return c.value("status", false) ? "true" : "false: " + c.value("message", "");
    }
    return "missing";
}

TEST_F(CrictlTest, VersionNamesTheRuntimeAndTheApi) {
    const std::string text = crictl().must({"version"});
    EXPECT_THAT(text, HasSubstr("Version:  0.1.0"));
    EXPECT_THAT(text, HasSubstr(place().reference ? "RuntimeName:  containerd" : "RuntimeName:  orlop"));
    EXPECT_THAT(text, HasSubstr("RuntimeApiVersion:  v1"));
}

TEST_F(CrictlTest, InfoSaysThatRuntimeAndNetworkAreReady) {
    Json info;
    EXPECT_TRUE(eventually(scaled(10), [&] {
        info = crictl().json({"info"});
        return condition(info, "NetworkReady") == "true";
    })) << condition(info, "NetworkReady");
    EXPECT_EQ(condition(info, "RuntimeReady"), "true");
}

TEST_F(CrictlTest, RuntimeConfigTellsTheCgroupDriver) {
    if (place().reference) GTEST_SKIP() << "SKIPPED: containerd 1.6 has no RuntimeConfig";
    EXPECT_THAT(crictl().must({"runtime-config"}), HasSubstr(place().systemd ? "SYSTEMD" : "CGROUPFS"));
}

TEST_F(CrictlTest, RunpMakesAReadySandboxWithAnAddress) {
    const Json pod = pod_config(node(), "web");
    const std::string id = crictl().runp(pod);
    ASSERT_THAT(id, MatchesRegex("[0-9a-f]{64}"));
    const Json status = crictl().pod_status(id);
    EXPECT_EQ(status.value("id", ""), id);
    EXPECT_EQ(status.value("state", ""), "SANDBOX_READY");
    EXPECT_EQ(status["metadata"].value("name", ""), "web");
    EXPECT_EQ(status["metadata"].value("uid", ""), pod["metadata"].value("uid", "-"));
    EXPECT_THAT(status["network"].value("ip", ""), MatchesRegex("10\\.88\\.66\\.[0-9]+"));
    EXPECT_EQ(status["labels"], pod["labels"]);
    EXPECT_EQ(status["annotations"], pod["annotations"]);
}

TEST_F(CrictlTest, PodsFiltersByNameStateAndLabel) {
    const std::string a = crictl().runp(pod_config(node(), "first"));
    Json other = pod_config(node(), "second");
    other["labels"]["tier"] = "back";
    const std::string b = crictl().runp(other);
    crictl().must({"stopp", b});
    EXPECT_TRUE(listed(crictl().json({"pods", "-o", "json"}), "items", a));
    EXPECT_TRUE(listed(crictl().json({"pods", "-o", "json", "--name", "first"}), "items", a));
    EXPECT_FALSE(listed(crictl().json({"pods", "-o", "json", "--name", "first"}), "items", b));
    EXPECT_FALSE(listed(crictl().json({"pods", "-o", "json", "--state", "ready"}), "items", b));
    EXPECT_TRUE(listed(crictl().json({"pods", "-o", "json", "--state", "notready"}), "items", b));
    EXPECT_TRUE(listed(crictl().json({"pods", "-o", "json", "--label", "tier=back"}), "items", b));
    EXPECT_FALSE(listed(crictl().json({"pods", "-o", "json", "--label", "tier=front"}), "items", b));
    EXPECT_EQ(crictl().must({"pods", "-q", "--id", a.substr(0, 12)}), a) << "a unique short id is enough";
}

TEST_F(CrictlTest, AContainerGoesFromCreatedOverRunningToExited) {
    const Json pod = pod_config(node(), "life");
    const std::string pod_id = crictl().runp(pod);
    const std::string id =
        crictl().create(pod_id, shell_config("life", "trap 'exit 7' TERM; while :; do sleep 0.1; done"), pod);
    ASSERT_THAT(id, MatchesRegex("[0-9a-f]{64}"));
    Json status = crictl().container_status(id);
    EXPECT_EQ(status.value("state", ""), "CONTAINER_CREATED");
    EXPECT_THAT(crictl().must({"start", id}), HasSubstr(id));
    status = crictl().container_status(id);
    EXPECT_EQ(status.value("state", ""), "CONTAINER_RUNNING");
    EXPECT_EQ(status["image"].value("image", ""), kBusyboxImage);
    EXPECT_EQ(status.value("logPath", ""), node().paths().pod_logs + "/life/life.log");
    EXPECT_TRUE(listed(crictl().json({"ps", "-o", "json"}), "containers", id));

    crictl().must({"stop", "--timeout", "10", id});
    status = crictl().container_status(id);
    EXPECT_EQ(status.value("state", ""), "CONTAINER_EXITED");
    EXPECT_EQ(status.value("exitCode", -1), 7);
    EXPECT_EQ(status.value("reason", ""), "Error");
    EXPECT_FALSE(listed(crictl().json({"ps", "-o", "json"}), "containers", id)) << "ps shows what runs";
    EXPECT_TRUE(listed(crictl().json({"ps", "-a", "-o", "json"}), "containers", id));
    crictl().must({"rm", id});
    EXPECT_FALSE(listed(crictl().json({"ps", "-a", "-o", "json"}), "containers", id));
    EXPECT_FALSE(crictl().run({"inspect", id}).ok());
}

TEST_F(CrictlTest, AnExitOfItsOwnIsReportedWithItsCode) {
    const Launched good = launch("good", "exit 0");
    const Launched bad = launch("bad", "exit 3");
    const Launched killed = launch("killed", "kill -9 $$");
    Json status = crictl().wait_exit(good.container);
    EXPECT_EQ(status.value("exitCode", -1), 0);
    EXPECT_EQ(status.value("reason", ""), "Completed");
    status = crictl().wait_exit(bad.container);
    EXPECT_EQ(status.value("exitCode", -1), 3);
    EXPECT_EQ(status.value("reason", ""), "Error");
    // PID 1 of a namespace ignores a SIGKILL of its own (pid_namespaces(7)): the shell goes on and ends well.
    EXPECT_EQ(crictl().wait_exit(killed.container).value("exitCode", -1), 0);
}

TEST_F(CrictlTest, StopKillsWhatIgnoresItsSignal) {
    const Launched stubborn = launch("stubborn", "trap '' TERM; while :; do sleep 0.1; done");
    crictl().must({"stop", "--timeout", "1", stubborn.container});
    const Json status = crictl().container_status(stubborn.container);
    EXPECT_EQ(status.value("state", ""), "CONTAINER_EXITED");
    EXPECT_EQ(status.value("exitCode", -1), 137);
}

TEST_F(CrictlTest, ExecSyncGivesOutputErrorsAndExitCode) {
    const Launched c = launch("exec", kSleepUntilStopped);
    Reply reply =
        crictl().run({"exec", "-s", c.container, "/bin/sh", "-c", "echo out; echo err >&2; pwd; id -u"});
    EXPECT_EQ(reply.code, 0) << reply.err;
    // crictl prints both streams, one after the other.
    EXPECT_THAT(reply.out, HasSubstr("out\n/\n0\n"));
    EXPECT_THAT(reply.out + reply.err, HasSubstr("err\n"));
    reply = crictl().run({"exec", "-s", c.container, "/bin/sh", "-c", "exit 5"});
    EXPECT_NE(reply.code, 0);
    EXPECT_THAT(reply.out + reply.err, HasSubstr("5"));
    reply = crictl().run({"exec", "-s", c.container, "/no/such/program"});
    EXPECT_NE(reply.code, 0);
    EXPECT_THAT(reply.out + reply.err, HasSubstr("/no/such/program"));
}

TEST_F(CrictlTest, ExecSyncEndsAtItsTimeoutAndKillsWhatItStarted) {
    const Launched c = launch("exectimeout", kSleepUntilStopped);
    const Reply reply = crictl().run({"exec", "-s", "--timeout", "1", c.container, "/bin/sleep", "987654"});
    EXPECT_NE(reply.code, 0);
    EXPECT_THAT(reply.err, ::testing::AnyOf(HasSubstr("DeadlineExceeded"), HasSubstr("timeout")));
    EXPECT_TRUE(eventually(scaled(10), [&] {
        return crictl().run({"exec", "-s", c.container, "/bin/ps"}).out.find("987654") == std::string::npos;
    }));
}

TEST_F(CrictlTest, LogsHoldBothStreamsInCriFormat) {
    const Launched c = launch("logs", "echo to stdout; echo to stderr >&2; printf 'no newline'");
    crictl().wait_exit(c.container);
    const Reply reply = crictl().run({"logs", c.container});
    EXPECT_THAT(reply.out, HasSubstr("to stdout\n"));
    EXPECT_THAT(reply.err, HasSubstr("to stderr\n"));
    const std::vector<LogLine> lines = parse_log(log_of("logs", "logs"));
    ASSERT_EQ(lines.size(), 3u);
    for (const LogLine& line : lines) {
        EXPECT_THAT(line.time, MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]+(Z|[+-][0-9:]+)"));
        EXPECT_EQ(line.stream, line.text == "to stderr" ? "stderr" : "stdout");
    }
    EXPECT_EQ(lines.back().tag + lines.back().text,
              place().reference ? "Pno newline" : lines.back().tag + "no newline");
}

TEST_F(CrictlTest, ALongLineIsSplitIntoPartsOf16KiB) {
    const Launched c = launch("long", "head -c 40000 /dev/zero | tr '\\0' x; echo");
    crictl().wait_exit(c.container);
    const std::vector<LogLine> lines = parse_log(log_of("long", "long"));
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0].tag + lines[1].tag + lines[2].tag, "PPF");
    EXPECT_EQ(lines[0].text.size(), 16384u);
    EXPECT_EQ(lines[0].text.size() + lines[1].text.size() + lines[2].text.size(), 40000u);
}

TEST_F(CrictlTest, StoppAndRmpEndAPodAndMayBeRepeated) {
    const Launched c = launch("gone", kSleepUntilStopped);
    crictl().must({"stopp", c.pod});
    EXPECT_EQ(crictl().pod_status(c.pod).value("state", ""), "SANDBOX_NOTREADY");
    EXPECT_EQ(crictl().container_status(c.container).value("state", ""), "CONTAINER_EXITED");
    crictl().must({"stopp", c.pod});
    crictl().must({"rmp", c.pod});
    EXPECT_FALSE(listed(crictl().json({"pods", "-o", "json"}), "items", c.pod));
    EXPECT_FALSE(listed(crictl().json({"ps", "-a", "-o", "json"}), "containers", c.container));
    EXPECT_FALSE(crictl().run({"inspectp", c.pod}).ok());
}

TEST_F(CrictlTest, APodServesItsPageToTheNode) {
    const Launched c =
        launch("httpd", "echo hello from the pod >/www/index.html; exec httpd -f -p 8080 -h /www");
    const std::string ip = crictl().pod_status(c.pod)["network"].value("ip", "");
    Reply page;
    EXPECT_TRUE(eventually(scaled(15), [&] {
        page = run({"/usr/bin/curl", "-s", "--max-time", "5", "http://" + ip + ":8080/"});
        return page.ok();
    }));
    EXPECT_EQ(page.out, "hello from the pod\n");
}

TEST_F(CrictlTest, ImagesAreListedInspectedAndRemoved) {
    ImageSpec extra = busybox_image(place().busybox);
    extra.name = "docker.io/library/it-extra:2";
    extra.config["Env"].push_back("EXTRA=1");
    const Status imported = node().import(extra);
    ASSERT_TRUE(imported) << imported.error().what();
    const Json image = tagged(crictl().json({"images", "-o", "json"}), extra.name);
    const std::string id = image.value("id", "");
    EXPECT_THAT(id, MatchesRegex("sha256:[0-9a-f]{64}"));
    EXPECT_GT(std::stoll(image.value("size", "0")), 100'000);
    EXPECT_EQ(crictl().json({"inspecti", "-o", "json", extra.name})["status"].value("id", ""), id);
    crictl().must({"rmi", extra.name});
    EXPECT_FALSE(crictl().run({"inspecti", "-q", extra.name}).ok());
    EXPECT_TRUE(tagged(crictl().json({"images", "-o", "json"}), extra.name).empty());
    EXPECT_FALSE(tagged(crictl().json({"images", "-o", "json"}), kBusyboxImage).empty()) << "the others stay";
}

TEST_F(CrictlTest, ImageFsInfoNamesTheStoreAndWhatItUses) {
    Json fs;
    // The reference counts now and then, not when it is asked.
    eventually(scaled(15), [&] {
        const Json info = crictl().json({"imagefsinfo"});
        fs = info.value(Json::json_pointer("/status/imageFilesystems/0"), Json::object());
        return fs.value(Json::json_pointer("/usedBytes/value"), "0") != "0";
    });
    EXPECT_THAT(fs.value(Json::json_pointer("/fsId/mountpoint"), ""), HasSubstr(node().paths().root));
    EXPECT_GT(std::stoll(fs.value(Json::json_pointer("/usedBytes/value"), "0")), 100'000);
    EXPECT_GT(std::stoll(fs.value(Json::json_pointer("/inodesUsed/value"), "0")), 0);
}

}  // namespace
}  // namespace orlop::it
