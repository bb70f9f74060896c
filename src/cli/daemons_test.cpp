#include "cli/daemons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace orlop::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

NodeOptions options() {
    NodeOptions out;
    out.bin_dir = "/b";
    out.manifests = "/m";
    out.cni_conf = "/c";
    return out;
}

TEST(Daemons, GetThePathsOfTheirNode) {
    NodeOptions o = options();
    EXPECT_THAT(runtime_daemon(paths_of("n"), o).argv,
                ElementsAre("/b/orlop-runtime", "--listen", "/run/n/runtime.sock", "--root", "/var/lib/n",
                            "--state", "/run/n", "--cni-conf-dir", "/c", "--cni-cache-dir",
                            "/var/lib/n/cni/cache", "--shim", "/b/orlop-shim"));
    o.cni_bin_dir = "/p";
    o.cgroup_driver = "cgroupfs";
    EXPECT_THAT(runtime_daemon(paths_of("n"), o).argv, Contains("--cni-bin-dir"));
    EXPECT_THAT(
        agent_daemon(paths_of("n"), o).argv,
        ElementsAre("/b/orlop-agent", "--config", "/run/n/kubelet.yaml", "--container-runtime-endpoint",
                    "unix:///run/n/runtime.sock", "--root-dir", "/var/lib/n/kubelet", "--pod-manifest-path",
                    "/m", "--status-socket", "/run/n/agent.sock", "--cgroup-driver", "cgroupfs"));
}

TEST(Daemons, OnlyTheDefaultNodeTakesTheHealthzPort) {
    const auto port = [](const char* node, int asked) {
        NodeOptions o = options();
        o.healthz_port = asked;
        return nlohmann::json::parse(agent_config(paths_of(node), o)).at("healthzPort").get<int>();
    };
    EXPECT_EQ(port("orlop", -1), 10248);
    EXPECT_EQ(port("n", -1), 0);
    EXPECT_EQ(port("n", 12345), 12345);
    EXPECT_EQ(port("orlop", 0), 0);
}

TEST(Daemons, OptionsSurviveTheirFile) {
    NodeOptions o = options();
    o.cni_bin_dir = "/with \"quotes\"";
    o.healthz_port = 4;
    const auto read = parse_node_options(node_options_json(o));
    ASSERT_TRUE(read) << read.error().what();
    EXPECT_EQ(*read, o);
    EXPECT_FALSE(parse_node_options("{}"));
    EXPECT_FALSE(parse_node_options("garbage"));
}

TEST(Daemons, TransientUnitsKeepPodsAliveAndEscapeDollars) {
    const NodePaths paths = paths_of("n");
    DaemonSpec daemon = agent_daemon(paths, options());
    daemon.argv.push_back("a$b");
    const auto argv = systemd_run(paths, daemon);
    EXPECT_THAT(argv, Contains("--unit=n-agent.service"));
    for (const char* property : {"KillMode=process", "Delegate=yes", "Restart=always", "Type=notify"})
        EXPECT_THAT(argv, Contains(property));
    EXPECT_THAT(argv, Contains("After=n-runtime.service"));
    EXPECT_EQ(argv.back(), "a$$b");
    EXPECT_THAT(systemd_run(paths, runtime_daemon(paths, options())),
                Not(Contains("After=n-runtime.service")));
}

}  // namespace
}  // namespace orlop::cli
