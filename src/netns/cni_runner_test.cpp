// ADD and DEL with plugins that a test scripts: each call is recorded as <log>/<type>.<COMMAND>.{env,stdin}.
#include <sys/stat.h>

#include "base/base64.h"
#include "base/clock.h"
#include "netns/cni.h"
#include "netns/cni_cache.h"
#include "netns/cni_json.h"
#include "netns/test_support.h"

namespace orlop::netns {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kResult =
    R"({"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/x"}],"ips":[{"address":"10.1.0.5/16","interface":0}]})";

class CniRun : public ::testing::Test {
  protected:
    CniRun() {
        attachment_.container_id = std::string(64, 'a');
        attachment_.netns = "/run/netns/x";
        attachment_.pod_namespace = "default";
        attachment_.pod_name = "web";
        attachment_.pod_uid = "u-1";
        runner_ =
            make_cni_runner({scratch_ / "net.d", {scratch_ / "none", scratch_ / "bin"}, scratch_ / "cache"},
                            std::chrono::seconds(20));
        std::filesystem::create_directory(scratch_ / "log");
    }

    // `on_add` and `on_del` are shell text that runs after the call was recorded.
    void plugin(const std::string& type, const std::string& on_add, const std::string& on_del = "") {
        const std::string log = scratch_ / "log";
        scratch_.write("bin/" + type,
                       "#!/bin/sh\n"
                       "echo \"" +
                           type + " $CNI_COMMAND\" >>" + log +
                           "/calls\n"
                           "env >" +
                           log + "/" + type +
                           ".$CNI_COMMAND.env\n"
                           "cat >" +
                           log + "/" + type +
                           ".$CNI_COMMAND.stdin\n"
                           "case $CNI_COMMAND in ADD)\n:;" +
                           on_add + "\n;; DEL)\n:;" + on_del + "\n;; esac\n",
                       0755);
    }
    static std::string answer(const std::string& json) { return "echo '" + json + "'"; }
    static std::string fail(const std::string& json) { return answer(json) + "; exit 1"; }

    static NetworkConfig network(const std::string& plugins, const std::string& version = "1.0.0") {
        return parse_network(
                   "f", R"({"cniVersion":")" + version + R"(","name":"pods","plugins":[)" + plugins + "]}")
            .value();
    }
    std::string calls() const { return scratch_.read("log/calls"); }
    Json input(const std::string& call) const { return Json::parse(scratch_.read("log/" + call + ".stdin")); }
    std::string cache_name(const std::string& net = "pods") const {
        return net + "-" + attachment_.container_id + "-eth0";
    }
    bool cache_is_empty() const {
        return !std::filesystem::exists(scratch_ / "cache/results") ||
               std::filesystem::is_empty(scratch_ / "cache/results");
    }

    Scratch scratch_;
    Attachment attachment_;
    std::unique_ptr<CniRunner> runner_;
};

TEST_F(CniRun, AddRunsThePluginsInOrderAndChainsTheirResults) {
    plugin("first", answer(R"({"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.1.0.9/16"}]})"));
    plugin("second", answer(kResult));
    attachment_.ports = {{80, 8080, "TCP", ""}};
    const auto added = runner_->add(
        network(R"({"type":"first"},{"type":"second","capabilities":{"portMappings":true}})"), attachment_);
    ASSERT_TRUE(added) << added.error().what();
    EXPECT_EQ(added->ips, Strings{"10.1.0.5"});
    EXPECT_EQ(added->json, std::string(kResult) + "\n");
    EXPECT_EQ(calls(), "first ADD\nsecond ADD\n");
    EXPECT_EQ(input("first.ADD"), Json::parse(R"({"type":"first","name":"pods","cniVersion":"1.0.0"})"));
    EXPECT_EQ(input("second.ADD"), Json::parse(R"({
        "type":"second","name":"pods","cniVersion":"1.0.0","capabilities":{"portMappings":true},
        "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]},
        "prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.9/16"}]}})"));
}

TEST_F(CniRun, PluginsSeeTheProtocolsEnvironmentAndOurPathOnly) {
    plugin("one", answer(kResult));
    ASSERT_TRUE(runner_->add(network(R"({"type":"one"})"), attachment_));
    std::istringstream env(scratch_.read("log/one.ADD.env"));
    std::map<std::string, std::string> seen;
    for (std::string line; std::getline(env, line);)
        seen[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    for (const char* of_the_shell : {"PWD", "OLDPWD", "SHLVL", "_"}) seen.erase(of_the_shell);
    EXPECT_EQ(seen, (std::map<std::string, std::string>{
                        {"CNI_COMMAND", "ADD"},
                        {"CNI_CONTAINERID", attachment_.container_id},
                        {"CNI_NETNS", "/run/netns/x"},
                        {"CNI_IFNAME", "eth0"},
                        {"CNI_ARGS",
                         "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;"
                         "K8S_POD_INFRA_CONTAINER_ID=" +
                             attachment_.container_id + ";K8S_POD_UID=u-1"},
                        {"CNI_PATH", (scratch_ / "none") + ":" + (scratch_ / "bin")},
                        {"PATH", getenv("PATH")}}));
}

TEST_F(CniRun, TheCacheHasLibcnisFormatAndModes) {
    plugin("one", answer(kResult));
    attachment_.ports = {{80, 8080, "tcp", ""}};
    ASSERT_TRUE(runner_->add(network(R"({"type":"one"})"), attachment_));
    struct stat dir {
    }, file{};
    ASSERT_EQ(stat((scratch_ / "cache/results").c_str(), &dir), 0);
    ASSERT_EQ(stat((scratch_ / ("cache/results/" + cache_name())).c_str(), &file), 0);
    EXPECT_EQ(dir.st_mode & 07777, 0700u);
    EXPECT_EQ(file.st_mode & 07777, 0600u);
    Json cached = Json::parse(scratch_.read("cache/results/" + cache_name()));
    const std::string config = base64_decode(cached.at("config").get<std::string>()).value();
    EXPECT_EQ(Json::parse(config),
              Json::parse(R"({"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"one"}]})"));
    cached.erase("config");
    Json expected = {{"kind", "cniCacheV1"},
                     {"containerId", attachment_.container_id},
                     {"ifName", "eth0"},
                     {"networkName", "pods"},
                     {"netns", "/run/netns/x"}};
    expected["cniArgs"] =
        Json::array({Json::array({"IgnoreUnknown", "1"}), Json::array({"K8S_POD_NAMESPACE", "default"}),
                     Json::array({"K8S_POD_NAME", "web"}),
                     Json::array({"K8S_POD_INFRA_CONTAINER_ID", attachment_.container_id}),
                     Json::array({"K8S_POD_UID", "u-1"})});
    expected["capabilityArgs"] =
        Json::parse(R"({"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})");
    expected["result"] = Json::parse(kResult);
    EXPECT_EQ(cached, expected);
    EXPECT_EQ(runner_->cached_containers().value(), Strings{attachment_.container_id});
}

TEST_F(CniRun, AFailedAddIsUndoneInReverseAndNamesThePlugin) {
    plugin("first", answer(kResult));
    plugin("second", fail(R"({"code":11,"msg":"no address","details":"pool is empty"})"));
    plugin("third", answer(kResult));
    const auto added =
        runner_->add(network(R"({"type":"first"},{"type":"second"},{"type":"third"})"), attachment_);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().what(),
              "CNI network \"pods\": CNI plugin \"second\" (ADD) failed: code 11: no address: pool is empty");
    EXPECT_EQ(added.error().kind(), Kind::Unavailable);
    EXPECT_EQ(calls(), "first ADD\nsecond ADD\nsecond DEL\nfirst DEL\n");
    EXPECT_EQ(input("first.DEL").at("prevResult"), Json::parse(kResult));
    EXPECT_TRUE(cache_is_empty());
}

TEST_F(CniRun, EveryErrorOfAFailedUndoIsKept) {
    plugin("first", answer(kResult), fail(R"({"code":5,"msg":"first is stuck"})"));
    plugin("second", "echo broken >&2; exit 3", fail(R"({"code":5,"msg":"second is stuck"})"));
    const auto added = runner_->add(network(R"({"type":"first"},{"type":"second"})"), attachment_);
    ASSERT_FALSE(added);
    for (const char* part :
         {"\"second\" (ADD) failed: exit code 3: broken", "second is stuck", "first is stuck"}) {
        EXPECT_NE(added.error().what().find(part), std::string::npos) << added.error().what();
    }
}

TEST_F(CniRun, AnAddThatGivesNoUsableResultIsUndone) {
    for (const char* on_add :
         {"true", "echo hello", "echo '{}'", R"(echo '{"cniVersion":"7.0.0"}')", "kill -9 $$"}) {
        std::filesystem::remove(scratch_ / "log/calls");
        plugin("one", on_add);
        const auto added = runner_->add(network(R"({"type":"one"})"), attachment_);
        EXPECT_FALSE(added) << on_add;
        EXPECT_EQ(calls(), "one ADD\none DEL\n") << on_add;
        EXPECT_TRUE(cache_is_empty());
    }
}

TEST_F(CniRun, AHungPluginIsKilledWithItsChildrenAtItsDeadline) {
    // The child keeps the fifo's reading end open for as long as it lives.
    ASSERT_EQ(mkfifo((scratch_ / "alive").c_str(), 0600), 0);
    const UniqueFd reader(open((scratch_ / "alive").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    plugin("one", "sh -c 'exec 9>" + (scratch_ / "alive") + "; echo up >&9; sleep 1000' & sleep 1000");
    runner_ = make_cni_runner({scratch_ / "net.d", {scratch_ / "bin"}, scratch_ / "cache"},
                              std::chrono::seconds(3));
    const Nanos start = SystemClock().monotonic();
    const auto added = runner_->add(network(R"({"type":"one"})"), attachment_);
    ASSERT_FALSE(added);
    EXPECT_LT(SystemClock().monotonic() - start, std::chrono::seconds(60));
    EXPECT_EQ(added.error().kind(), Kind::TimedOut);
    EXPECT_EQ(added.error().what(),
              "CNI network \"pods\": CNI plugin \"one\" (ADD): no answer within 3 s, killed");
    EXPECT_EQ(calls(), "one ADD\none DEL\n") << "DEL has a deadline of its own";
    // End of file comes with the death of the last writer.
    fcntl(reader.get(), F_SETFL, 0);
    EXPECT_EQ(read_all(reader.get()).value(), "up\n");
}

TEST_F(CniRun, DelRunsInReverseWithTheCachedConfigurationAndResult) {
    plugin("first", answer(kResult));
    plugin("second", answer(kResult));
    plugin("today", "");
    attachment_.ports = {{80, 8080, "tcp", ""}};
    ASSERT_TRUE(runner_->add(
        network(R"({"type":"first","capabilities":{"portMappings":true}},{"type":"second","old":1})"),
        attachment_));
    Attachment later;  // what a restarted daemon may know
    later.container_id = attachment_.container_id;
    const auto deleted = runner_->del(network(R"({"type":"today"})"), later);
    ASSERT_TRUE(deleted) << deleted.error().what();
    EXPECT_EQ(calls(), "first ADD\nsecond ADD\nsecond DEL\nfirst DEL\n");
    EXPECT_EQ(input("second.DEL"), Json::parse(R"({"type":"second","old":1,"name":"pods","cniVersion":"1.0.0",
        "prevResult":)" + std::string(kResult) +
                                               "}"));
    EXPECT_EQ(input("first.DEL").at("runtimeConfig").at("portMappings").at(0).at("hostPort"), 8080);
    const std::string env = scratch_.read("log/first.DEL.env");
    EXPECT_NE(env.find("CNI_NETNS=\n"), std::string::npos) << env;
    EXPECT_NE(env.find("K8S_POD_NAME=web;"), std::string::npos) << env;
    EXPECT_TRUE(cache_is_empty());
    EXPECT_TRUE(runner_->cached_containers().value().empty());
}

TEST_F(CniRun, DelWithoutACacheUsesTheNetworkThatIsGiven) {
    plugin("one", "");
    ASSERT_TRUE(runner_->del(network(R"({"type":"one"})"), attachment_));
    EXPECT_EQ(calls(), "one DEL\n");
    EXPECT_FALSE(input("one.DEL").contains("prevResult"));
    ASSERT_TRUE(runner_->del(std::nullopt, attachment_)) << "nothing cached, no network: nothing to do";
    EXPECT_EQ(calls(), "one DEL\n");
}

TEST_F(CniRun, DelOfAnOldVersionHasNoPrevResult) {
    plugin("one", answer(R"({"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.1.0.9/16"}]})"));
    ASSERT_TRUE(runner_->add(network(R"({"type":"one"})", "0.3.1"), attachment_));
    ASSERT_TRUE(runner_->del(std::nullopt, attachment_));
    EXPECT_FALSE(input("one.DEL").contains("prevResult"));
}

TEST_F(CniRun, AFailedDelKeepsTheCacheForTheNextTry) {
    plugin("first", answer(kResult));
    plugin("second", answer(kResult), fail(R"({"code":100,"msg":"busy"})"));
    ASSERT_TRUE(runner_->add(network(R"({"type":"first"},{"type":"second"})"), attachment_));
    const auto failed = runner_->del(std::nullopt, attachment_);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().what(),
              "CNI network \"pods\": CNI plugin \"second\" (DEL) failed: code 100: busy");
    EXPECT_FALSE(cache_is_empty());
    plugin("second", "", fail(R"({"code":3,"msg":"unknown container: there is nothing to clean"})"));
    ASSERT_TRUE(runner_->del(std::nullopt, attachment_));
    EXPECT_EQ(calls(), "first ADD\nsecond ADD\nsecond DEL\nsecond DEL\nfirst DEL\n");
    EXPECT_TRUE(cache_is_empty());
}

TEST_F(CniRun, ADamagedCacheFallsBackToTheNetworkThatIsGiven) {
    plugin("one", answer(kResult));
    ASSERT_TRUE(runner_->add(network(R"({"type":"one"})"), attachment_));
    scratch_.write("cache/results/" + cache_name(), R"({"kind":"cniCacheV1","config":"?"})");
    EXPECT_TRUE(runner_->cached_containers().value().empty());
    const auto alone = runner_->del(std::nullopt, attachment_);
    ASSERT_FALSE(alone);
    EXPECT_NE(alone.error().what().find(cache_name()), std::string::npos) << alone.error().what();
    ASSERT_TRUE(runner_->del(network(R"({"type":"one"})"), attachment_));
    EXPECT_EQ(calls(), "one ADD\none DEL\n");
    EXPECT_TRUE(cache_is_empty());
}

TEST_F(CniRun, ReadsARecordThatLibcniWrote) {
    plugin("one", "");
    const std::string config = R"({"cniVersion":"0.4.0","name":"theirs","plugins":[{"type":"one"}]})";
    scratch_.write("cache/results/" + cache_name("theirs"),
                   R"({"kind":"cniCacheV1","containerId":")" + attachment_.container_id + R"(","config":")" +
                       base64_encode(config) +
                       R"(","ifName":"eth0","networkName":"theirs","cniArgs":[["A","b"]],)" +
                       R"("result":{"cniVersion":"0.4.0","dns":{}}})");
    ASSERT_TRUE(runner_->del(std::nullopt, attachment_));
    EXPECT_EQ(input("one.DEL").at("name"), "theirs");
    EXPECT_NE(scratch_.read("log/one.DEL.env").find("CNI_ARGS=A=b\n"), std::string::npos);
    EXPECT_TRUE(cache_is_empty());
}

TEST_F(CniRun, NothingRunsForWhatIsNotValid) {
    plugin("one", answer(kResult));
    const NetworkConfig good = network(R"({"type":"one"})");
    NetworkConfig evil = good;
    evil.plugin_types = {"../bin/one"};
    EXPECT_EQ(runner_->add(evil, attachment_).error().kind(), Kind::Invalid);
    evil = good;
    evil.name = "../x";
    EXPECT_EQ(runner_->add(evil, attachment_).error().kind(), Kind::Invalid);
    for (const auto& change : std::vector<std::function<void(Attachment&)>>{
             [](Attachment& a) { a.container_id = "../x"; }, [](Attachment& a) { a.ifname = "a/b"; },
             [](Attachment& a) { a.netns = ""; }, [](Attachment& a) { a.pod_name = "a;IP=1.1.1.1"; },
             [](Attachment& a) { a.annotations["kubernetes.io/egress-bandwidth"] = "lots"; }}) {
        Attachment wrong = attachment_;
        change(wrong);
        EXPECT_EQ(runner_->add(good, wrong).error().kind(), Kind::Invalid);
    }
    EXPECT_EQ(calls(), "");
}

TEST_F(CniRun, MissingBinariesAreNamedWithTheDirectories) {
    plugin("one", answer(kResult));
    const NetworkConfig net = network(R"({"type":"one","ipam":{"type":"lost"}},{"type":"gone"})");
    const auto checked = runner_->check_binaries(net);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind(), Kind::NotFound);
    for (const std::string& part :
         {std::string("\"lost\""), std::string("\"gone\""), scratch_ / "none", scratch_ / "bin"}) {
        EXPECT_NE(checked.error().what().find(part), std::string::npos) << checked.error().what();
    }
    EXPECT_TRUE(runner_->check_binaries(network(R"({"type":"one"})")));
    ASSERT_FALSE(runner_->add(net, attachment_));
    EXPECT_EQ(calls(), "one ADD\none DEL\n");
}

}  // namespace
}  // namespace orlop::netns
