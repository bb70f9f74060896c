#include <sys/stat.h>

#include "netns/cni.h"
#include "netns/cni_json.h"
#include "netns/cni_names.h"
#include "netns/test_support.h"

namespace orlop::netns {
namespace {

constexpr const char* kGood =
    R"({"cniVersion":"1.0.0","name":"pods","disableCheck":true,"plugins":[{"type":"bridge","x":[1,{"y":2}]},{"type":"portmap"}]})";

TEST(CniConfig, ReadsAConflist) {
    const auto network = parse_network("10-pods.conflist", kGood);
    ASSERT_TRUE(network) << network.error().what();
    EXPECT_EQ(network->file, "10-pods.conflist");
    EXPECT_EQ(network->name, "pods");
    EXPECT_EQ(network->cni_version, "1.0.0");
    EXPECT_TRUE(network->disable_check);
    EXPECT_EQ(network->plugin_types, (std::vector<std::string>{"bridge", "portmap"}));
    EXPECT_EQ(Json::parse(network->plugins.at(0)), Json::parse(R"({"type":"bridge","x":[1,{"y":2}]})"));
}

TEST(CniConfig, ASinglePluginBecomesAListOfOne) {
    const auto network =
        parse_network("x.conf", R"({"cniVersion":"0.3.1","name":"n","type":"bridge","mtu":1400})");
    ASSERT_TRUE(network) << network.error().what();
    EXPECT_EQ(network->plugin_types, std::vector<std::string>{"bridge"});
    EXPECT_EQ(Json::parse(network->plugins.at(0)).at("mtu"), 1400);
}

TEST(CniConfig, PicksTheHighestKnownVersion) {
    const std::pair<std::string, std::string> rows[] = {
        {R"("cniVersion":"0.3.1")", "0.3.1"},
        {R"("cniVersion":"0.4.0","cniVersions":["0.3.1","1.1.0","1.0.0"])", "1.1.0"},
        {R"("cniVersions":["1.0.0","9.0.0"])", "1.0.0"},
        {R"("cniVersion":"9.0.0","cniVersions":["0.4.0"])", "0.4.0"},
    };
    for (const auto& [fields, version] : rows) {
        const auto network = parse_network("f", "{" + fields + R"(,"name":"n","plugins":[{"type":"a"}]})");
        ASSERT_TRUE(network) << fields << ": " << network.error().what();
        EXPECT_EQ(network->cni_version, version) << fields;
    }
}

TEST(CniConfig, ErrorsNameTheField) {
    const std::pair<std::string, std::string> rows[] = {
        {"", "not JSON"},
        {"{", "not JSON"},
        {"[]", "not a JSON object"},
        {R"({"cniVersion":"1.0.0","plugins":[{"type":"a"}]})", "\"name\" is missing"},
        {R"({"cniVersion":"1.0.0","name":3,"plugins":[{"type":"a"}]})", "\"name\" must be a string"},
        {R"({"cniVersion":"1.0.0","name":"../x","plugins":[{"type":"a"}]})",
         "\"name\": network name \"../x\""},
        {R"({"name":"n","plugins":[{"type":"a"}]})", "\"cniVersion\" is missing"},
        {R"({"cniVersion":"0.2.0","name":"n","plugins":[{"type":"a"}]})", "0.2.0"},
        {R"({"cniVersion":1,"name":"n","plugins":[{"type":"a"}]})", "\"cniVersion\" must be a string"},
        {R"({"cniVersions":"1.0.0","name":"n","plugins":[{"type":"a"}]})", "\"cniVersions\" must be a list"},
        {R"({"cniVersion":"1.0.0","name":"n"})", "\"plugins\" is missing"},
        {R"({"cniVersion":"1.0.0","name":"n","plugins":[]})", "\"plugins\" must be a list"},
        {R"({"cniVersion":"1.0.0","name":"n","plugins":[7]})", "\"plugins[0]\" must be an object"},
        {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a"},{}]})",
         "\"plugins[1].type\" is missing"},
        {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"../../bin/sh"}]})", "\"plugins[0].type\""},
        {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":".."}]})", "is not a file name"},
        {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a","ipam":{"type":"x/y"}}]})", "ipam.type"},
        {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a","capabilities":["x"]}]})",
         "capabilities"},
        {R"({"cniVersion":"1.0.0","name":"n","disableCheck":"no","plugins":[{"type":"a"}]})", "disableCheck"},
        {std::string(5000, '[') + std::string(5000, ']'), "nested too deeply"},
        {"{\"name\":\"\xff\"}", "not JSON"},
    };
    for (const auto& [json, expected] : rows) {
        const auto network = parse_network("f", json);
        ASSERT_FALSE(network) << json;
        EXPECT_EQ(network.error().kind(), Kind::Invalid);
        EXPECT_NE(network.error().what().find(expected), std::string::npos) << network.error().what();
    }
}

TEST(CniNames, FollowTheSpec) {
    EXPECT_TRUE(check_container_id(std::string(64, 'a')));
    for (const char* id : {"", "-a", ".a", "a/b", "a b", "a;b", "a\n"})
        EXPECT_FALSE(check_container_id(id)) << id;
    EXPECT_FALSE(check_container_id(std::string(101, 'a')));
    EXPECT_TRUE(check_ifname("eth0"));
    for (const char* name : {"", ".", "..", "a/b", "a:b", "a b", "sixteen_letters_"}) {
        EXPECT_FALSE(check_ifname(name)) << name;
    }
    EXPECT_TRUE(check_ifname("fifteen_letters"));
}

TEST(CniLoad, TakesTheFirstValidOneInLexicalOrderAndListsTheBrokenOnes) {
    Scratch scratch;
    scratch.write("00-readme.txt", "not a configuration");
    scratch.write("05-broken.conflist", "{");
    scratch.write("06-nameless.json", R"({"cniVersion":"1.0.0","type":"a"})");
    std::filesystem::create_directory(scratch / "07-directory.conf");
    ASSERT_EQ(mkfifo((scratch / "08-fifo.conf").c_str(), 0600), 0);
    std::filesystem::create_symlink(scratch.write("elsewhere/real", kGood), scratch / "10-pods.conflist");
    scratch.write("20-other.conf", R"({"cniVersion":"1.0.0","name":"other","type":"a"})");
    const auto loaded = load_networks(scratch.path());
    ASSERT_TRUE(loaded) << loaded.error().what();
    EXPECT_EQ(loaded->network.name, "pods");
    EXPECT_EQ(loaded->network.file, scratch / "10-pods.conflist");
    ASSERT_EQ(loaded->skipped.size(), 4u);
    EXPECT_EQ(loaded->skipped[0].find("05-broken.conflist: not JSON"), 0u) << loaded->skipped[0];
    EXPECT_EQ(loaded->skipped[1], "06-nameless.json: field \"name\" is missing");
    EXPECT_EQ(loaded->skipped[3], "08-fifo.conf: not a regular file");
}

TEST(CniLoad, SaysWhatToDoWhenThereIsNothing) {
    Scratch scratch;
    for (const std::string& dir : {scratch.path(), scratch / "missing"}) {
        const auto loaded = load_networks(dir);
        ASSERT_FALSE(loaded);
        EXPECT_EQ(loaded.error().kind(), Kind::NotFound);
        EXPECT_EQ(loaded.error().what(), "no CNI configuration in " + dir + ": put a .conflist there");
    }
    scratch.write("10-x.conflist", R"({"cniVersion":"1.0.0","name":"n"})");
    const auto loaded = load_networks(scratch.path());
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind(), Kind::NotFound);
    EXPECT_NE(loaded.error().what().find("10-x.conflist: field \"plugins\" is missing"), std::string::npos)
        << loaded.error().what();
}

}  // namespace
}  // namespace orlop::netns
