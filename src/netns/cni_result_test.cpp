#include "netns/cni_result.h"

#include <gtest/gtest.h>

#include "netns/cni_args.h"
#include "netns/cni_exec.h"

namespace orlop::netns {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kBridge =
    R"({"interfaces":[{"name":"cni0"},{"name":"veth1"},{"name":"eth0","sandbox":"/run/netns/x"}],)";

TEST(CniResult, GivesTheAddressesOfThePodsInterfaceInOrder) {
    const std::pair<std::string, Strings> rows[] = {
        {std::string(kBridge) + R"("ips":[{"address":"10.1.0.5/16","interface":2}]})", {"10.1.0.5"}},
        {std::string(kBridge) +
             R"("ips":[{"address":"fd00::5/64","interface":2},{"address":"10.1.0.5/16","interface":2}]})",
         {"fd00::5", "10.1.0.5"}},
        {std::string(kBridge) +
             R"("ips":[{"address":"10.9.0.1/16","interface":0},{"address":"10.1.0.5/16","interface":2}]})",
         {"10.1.0.5"}},
        {R"({"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.1.0.5/16"}]})", {"10.1.0.5"}},
    };
    for (const auto& [json, ips] : rows) {
        const auto found = result_ips(parse_result(json, "1.0.0").value(), "eth0");
        ASSERT_TRUE(found) << found.error().what();
        EXPECT_EQ(*found, ips) << json;
    }
}

TEST(CniResult, RefusesWhatCannotBeTrue) {
    const std::pair<std::string, std::string> rows[] = {
        {"", "no result"},
        {" \n", "no result"},
        {"hello", "not JSON"},
        {R"({"cniVersion":"0.2.0","ip4":{"ip":"1.2.3.4/8"}})", "unsupported cniVersion \"0.2.0\""},
        {R"({"cniVersion":7})", "unsupported cniVersion 7"},
        {"{}", "no IP address for eth0"},
        {R"({"ips":7})", "not a list"},
        {R"({"ips":[7]})", "not a list of objects"},
        {R"({"ips":[{"address":"nonsense"}]})", "\"nonsense\" as an IP address"},
        {R"({"ips":[{"address":"10.0.0.300/24"}]})", "as an IP address"},
        {R"({"ips":[{"address":"10.0.0.3/24","interface":0}]})", "interface that it does not list"},
        {R"({"ips":[{"address":"10.0.0.3/24","interface":-1}],"interfaces":[{}]})", "does not list"},
        {std::string(kBridge) + R"("ips":[{"address":"10.9.0.1/16","interface":0}]})",
         "no IP address for eth0"},
    };
    for (const auto& [json, expected] : rows) {
        const auto result = parse_result(json, "1.0.0");
        const auto ips = result ? result_ips(*result, "eth0") : Result<Strings>(result.error());
        ASSERT_FALSE(ips) << json;
        EXPECT_NE(ips.error().what().find(expected), std::string::npos) << ips.error().what();
    }
}

TEST(CniResult, IsConvertedToTheVersionOfTheNetwork) {
    const Json old =
        Json::parse(R"({"cniVersion":"0.4.0","ips":[{"version":"6","address":"fd00::1/64"}],"dns":{}})");
    const Json now = Json::parse(R"({"cniVersion":"1.0.0","ips":[{"address":"fd00::1/64"}],"dns":{}})");
    EXPECT_EQ(convert_result(old, "1.0.0"), now);
    EXPECT_EQ(convert_result(now, "0.4.0"), old);
    EXPECT_EQ(convert_result(now, "1.1.0").at("cniVersion"), "1.1.0");
    EXPECT_EQ(parse_result(R"({"ips":[]})", "0.4.0").value().at("cniVersion"), "0.4.0");
}

TEST(CniError, KeepsCodeMessageAndDetails) {
    struct Row {
        std::string out, err;
        int status;
        int64_t code;
        std::string text;
    };
    const Row rows[] = {
        {R"({"cniVersion":"1.0.0","code":7,"msg":"Invalid","details":"too\nsmall"})", "", 0x100, 7,
         "code 7: Invalid: too small"},
        {R"({"code":100,"msg":"boom"})", "a log line", 0x100, 100, "code 100: boom"},
        {"", R"({"code":11,"msg":"later"})", 0x100, 11, "code 11: later"},
        {"", "cannot find iptables\n", 0x200, 0, "exit code 2: cannot find iptables"},
        {"", "", 0x100, 0, "exit code 1 without a message"},
        {"", "", 9, 0, "killed by signal 9 without a message"},
        {R"({"code":"x","msg":7})", "", 0x100, 0, "code 0"},
    };
    for (const Row& row : rows) {
        const PluginError error = parse_plugin_error(row.out, row.err, row.status);
        EXPECT_EQ(error.code, row.code) << row.text;
        EXPECT_EQ(error.text, row.text);
    }
    EXPECT_LT(parse_plugin_error(std::string(100000, 'x'), "", 0x100).text.size(), 1100u);
    EXPECT_EQ(kind_of_code(11), Kind::Unavailable);
    EXPECT_EQ(kind_of_code(7), Kind::Failed);
}

TEST(CniArgs, NameThePodInOrder) {
    Attachment pod;
    pod.container_id = "c1";
    pod.pod_namespace = "default";
    pod.pod_name = "web";
    pod.pod_uid = "u-1";
    EXPECT_EQ(cni_args_text(cni_args(pod).value()),
              "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_"
              "POD_UID=u-1");
    EXPECT_EQ(cni_args_text(cni_args({.container_id = "c1"}).value()),
              "IgnoreUnknown=1;K8S_POD_INFRA_CONTAINER_ID=c1");
    pod.pod_name = "web;IP=1.2.3.4";
    EXPECT_FALSE(cni_args(pod));
}

TEST(CniArgs, CapabilitiesAreWhatThePodAskedFor) {
    EXPECT_EQ(capability_args({}).value(), Json::object());
    Attachment pod;
    pod.ports = {{80, 8080, "TCP", ""}, {53, 5353, "udp", "10.0.0.1"}, {9, 0, "tcp", ""}};
    pod.annotations = {{"kubernetes.io/ingress-bandwidth", "10M"}};
    pod.dns.servers = {"10.0.0.53"};
    pod.cgroup_path = "/kubepods/pod1";
    EXPECT_EQ(capability_args(pod).value(), Json::parse(R"({
        "portMappings": [{"hostPort":8080,"containerPort":80,"protocol":"tcp"},
                         {"hostPort":5353,"containerPort":53,"protocol":"udp","hostIP":"10.0.0.1"}],
        "bandwidth": {"ingressRate":10000000,"ingressBurst":4294967295},
        "dns": {"servers":["10.0.0.53"]},
        "cgroupPath": "/kubepods/pod1",
        "io.kubernetes.cri.pod-annotations": {"kubernetes.io/ingress-bandwidth":"10M"}})"));
    pod.ports = {{70000, 80, "tcp", ""}};
    EXPECT_FALSE(capability_args(pod));
    pod.ports = {{80, 80, "icmp", ""}};
    EXPECT_FALSE(capability_args(pod));
}

TEST(CniArgs, BandwidthIsAQuantity) {
    EXPECT_EQ(parse_bandwidth("1k").value(), 1000);
    EXPECT_EQ(parse_bandwidth("1.5M").value(), 1'500'000);
    EXPECT_EQ(parse_bandwidth("1Mi").value(), 1 << 20);
    EXPECT_EQ(parse_bandwidth("1P").value(), 1'000'000'000'000'000);
    for (const char* text :
         {"", "fast", "999", "-1M", "2P", "1Pi", "1 M", "1m", "nan", "inf", "1e9", "0x10k"}) {
        EXPECT_FALSE(parse_bandwidth(text)) << text;
    }
}

TEST(PluginInput, HasTheNetworksNameAndVersionAndOnlyDeclaredCapabilities) {
    NetworkConfig network;
    network.name = "pods";
    network.cni_version = "0.4.0";
    network.plugins = {
        R"({"type":"portmap","snat":true,"capabilities":{"portMappings":true,"dns":false,"mac":true}})"};
    network.plugin_types = {"portmap"};
    const Json capabilities = {{"portMappings", {1}}, {"dns", {2}}, {"bandwidth", {3}}};
    const Json prev = Json::parse(R"({"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}]})");
    EXPECT_EQ(Json::parse(plugin_input(network, 0, capabilities, prev).value()), Json::parse(R"({
        "type":"portmap","snat":true,"capabilities":{"portMappings":true,"dns":false,"mac":true},
        "name":"pods","cniVersion":"0.4.0","runtimeConfig":{"portMappings":[1]},
        "prevResult":{"cniVersion":"0.4.0","ips":[{"address":"10.0.0.2/24","version":"4"}]}})"));
    const Json bare = Json::parse(plugin_input(network, 0, Json::object(), Json()).value());
    EXPECT_FALSE(bare.contains("runtimeConfig"));
    EXPECT_FALSE(bare.contains("prevResult"));
}

}  // namespace
}  // namespace orlop::netns
