#include "images/registry/endpoint.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "images/test_support.h"

namespace orlop::registry {
namespace {

std::vector<Endpoint> parsed(const std::string& text, const std::string& domain = "registry.example") {
    auto endpoints = parse_hosts_toml(text, domain, "/certs/x");
    EXPECT_TRUE(endpoints) << endpoints.error().what();
    return endpoints ? *endpoints : std::vector<Endpoint>();
}

std::string refused(const std::string& text) {
    const auto endpoints = parse_hosts_toml(text, "registry.example", "/certs/x");
    EXPECT_FALSE(endpoints) << text;
    return endpoints ? "" : endpoints.error().what();
}

TEST(Endpoints, AreHttpsAndDockerHubHasItsOwnHost) {
    const auto hub = default_endpoints("docker.io");
    ASSERT_EQ(hub.size(), 1u);
    EXPECT_EQ(hub[0].base, "https://registry-1.docker.io/v2");
    EXPECT_EQ(default_endpoints("registry.example:5000")[0].base, "https://registry.example:5000/v2");
}

TEST(Endpoints, OfThisMachineAreTriedByHttpFirst) {
    for (const char* domain : {"localhost:5000", "127.0.0.1:5000", "127.9.9.9:1", "[::1]:5000"}) {
        const auto own = default_endpoints(domain);
        ASSERT_EQ(own.size(), 2u) << domain;
        EXPECT_EQ(own[0].base, "http://" + std::string(domain) + "/v2");
        EXPECT_TRUE(own[1].otherwise);
    }
    EXPECT_EQ(default_endpoints("localhost.example:5000").size(), 1u);
    EXPECT_EQ(default_endpoints("128.0.0.1:5000").size(), 1u);
}

TEST(HostsToml, AsksMirrorsInTheOrderOfTheFile) {
    const auto all = parsed(R"(
server = "https://registry.example"
[host."https://z.example:8443"]
  capabilities = ["pull"]
  dial_timeout = "1500ms"
[host."http://a.example/prefix"]
  capabilities = ["pull", "resolve", "push"]
[host."https://b.example/own/path/"]
  override_path = true
)");
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0].base, "https://z.example:8443/v2");
    EXPECT_FALSE(all[0].resolve);
    EXPECT_TRUE(all[0].mirror);
    EXPECT_EQ(all[0].dial_timeout, std::chrono::milliseconds(1500));
    EXPECT_EQ(all[1].base, "http://a.example:80/prefix/v2");
    EXPECT_TRUE(all[1].resolve);
    EXPECT_EQ(all[2].base, "https://b.example:443/own/path");
    EXPECT_EQ(all[3].base, "https://registry.example:443/v2");
    EXPECT_FALSE(all[3].mirror);
}

TEST(HostsToml, TakesCertificatesHeadersAndInsecureHosts) {
    const auto all = parsed(R"(
[host."https://m.example"]
  ca = ["one.pem", "/abs/two.pem"]
  client = [["c.pem", "k.pem"], ["d.pem", ""]]
  skip_verify = true
  [host."https://m.example".header]
    x-one = "1"
    x-two = ["2", "3"]
)");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].tls.ca_files, (std::vector<std::string>{"/certs/x/one.pem", "/abs/two.pem"}));
    EXPECT_EQ(all[0].tls.client_cert, "/certs/x/c.pem");
    EXPECT_EQ(all[0].tls.client_key, "/certs/x/k.pem");
    EXPECT_TRUE(all[0].tls.skip_verify);
    EXPECT_EQ(all[0].headers.size(), 3u);
    EXPECT_EQ(all[1].base, "https://registry.example/v2");
}

TEST(HostsToml, MayAnswerForTheServerAlone) {
    const auto all = parsed("server = \"http://registry.example:5000\"\nskip_verify = true\n");
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].base, "http://registry.example:5000/v2");
}

TEST(HostsToml, NamesWhatIsWrong) {
    EXPECT_NE(refused("servr = \"x\"").find("unknown key \"servr\""), std::string::npos);
    EXPECT_NE(refused("[host.\"https://m\"]\ncapabilities = [\"pul\"]").find("capabilities"),
              std::string::npos);
    EXPECT_NE(refused("[host.\"ftp://m/x\"]").find("m/x"), std::string::npos);
    EXPECT_NE(refused("skip_verify = 1").find("true or false"), std::string::npos);
    EXPECT_NE(refused("[host.\"https://m\".header]\n\"a b\" = \"c\"").find("name of a header"),
              std::string::npos);
    EXPECT_NE(refused("[host.\"https://m\".header]\na = \"c\\r\\nd\"").find("control"), std::string::npos);
    EXPECT_NE(refused("dial_timeout = \"3 s\"").find("duration"), std::string::npos);
    EXPECT_NE(refused("server = ").find("line 1"), std::string::npos);
    EXPECT_NE(refused("server = \"https://u:p@x\"").find("password"), std::string::npos);
}

TEST(HostsDirectories, AreFoundByHostAndPortThenDefaultAndReadAnew) {
    const images::test::Scratch scratch;
    const auto put = [&](const std::string& dir, const std::string& file, const std::string& text) {
        ASSERT_TRUE(make_dirs(scratch / dir));
        scratch.file(dir + "/" + file, text);
    };
    const auto first = [&](const std::string& domain) {
        const auto all = configured_endpoints(scratch.path(), domain);
        EXPECT_TRUE(all) << all.error().what();
        return all ? all->front() : Endpoint();
    };
    EXPECT_EQ(first("r.example:5000").base, "https://r.example:5000/v2");
    put("_default", "hosts.toml", "[host.\"https://default.example\"]\n");
    EXPECT_EQ(first("r.example:5000").base, "https://default.example:443/v2");
    put("r.example:5000", "hosts.toml", "[host.\"https://colon.example\"]\n");
    EXPECT_EQ(first("r.example:5000").base, "https://colon.example:443/v2");
    put("r.example_5000_", "hosts.toml", "[host.\"https://underline.example\"]\n");
    EXPECT_EQ(first("r.example:5000").base, "https://underline.example:443/v2");
    put("d.example", "ca.crt", "x");
    put("d.example", "me.cert", "x");
    put("d.example", "me.key", "x");
    const Endpoint docker = first("d.example");
    EXPECT_EQ(docker.tls.ca_files, std::vector<std::string>{scratch / "d.example/ca.crt"});
    EXPECT_EQ(docker.tls.client_cert, scratch / "d.example/me.cert");
    EXPECT_EQ(docker.tls.client_key, scratch / "d.example/me.key");
    put("bad.example", "hosts.toml", "x");
    EXPECT_FALSE(configured_endpoints(scratch.path(), "bad.example"));
}

}  // namespace
}  // namespace orlop::registry
