#include "agent/node/options.h"

#include <gtest/gtest.h>

#include <fstream>

namespace orlop::agent {
namespace {

Parsed parse(std::vector<const char*> args) {
    args.insert(args.begin(), "orlop-agent");
    return parse_command_line(static_cast<int>(args.size()), args.data());
}

TEST(Options, FlagsAreSpelledAsAKubelets) {
    const Parsed p = parse({"--pod-manifest-path=/m", "--container-runtime-endpoint", "unix:///run/x.sock",
                            "--hostname-override=n1", "--v=4", "--cgroup-driver=systemd", "--root-dir=/r",
                            "--cluster-dns=10.0.0.1,10.0.0.2", "--max-pods", "7"});
    ASSERT_TRUE(p.options) << p.text;
    EXPECT_EQ(p.options->config.static_pod_path, "/m");
    EXPECT_EQ(p.options->config.runtime_endpoint, "unix:///run/x.sock");
    EXPECT_EQ(p.options->config.cgroup_driver, kube::CgroupDriverName::Systemd);
    EXPECT_EQ(p.options->config.cluster_dns.size(), 2u);
    EXPECT_EQ(p.options->config.max_pods, 7);
    EXPECT_EQ(p.options->node_name, "n1");
    EXPECT_EQ(p.options->log.level, "debug");
    EXPECT_EQ(p.options->status_socket, "/run/orlop/agent.sock");
}

TEST(Options, FlagsWinOverTheFile) {
    const std::string path = testing::TempDir() + "orlop-agent-options.yaml";
    std::ofstream(path) << "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
                           "staticPodPath: /file\nhealthzPort: 1\nrotateCertificates: true\n";
    const Parsed p = parse(
        {"--config", path.c_str(), "--pod-manifest-path=/flag", "--hostname-override=n", "--kubeconfig=/x"});
    ASSERT_TRUE(p.options) << p.text;
    EXPECT_EQ(p.options->config.static_pod_path, "/flag");
    EXPECT_EQ(p.options->config.healthz_port, 1);
    EXPECT_EQ(p.options->warnings,
              (std::vector<std::string>{"--kubeconfig: is not acted on yet",
                                        path + ": rotateCertificates: is not acted on yet"}));
    std::remove(path.c_str());
}

TEST(Options, MistakesAreOneLineAndExitTwo) {
    const std::pair<std::vector<const char*>, std::string> rows[] = {
        {{"--frobnicate"}, "--frobnicate"},
        {{"--max-pods=many"}, "--max-pods"},
        {{"--config=/does/not/exist"}, "/does/not/exist"},
        {{"--cgroup-driver=x", "--hostname-override=n"}, "--cgroup-driver: 'x' is none of cgroupfs, systemd"},
        {{"--root-dir=relative", "--hostname-override=n"}, "--root-dir: must be an absolute path"},
        {{"--hostname-override=Bad_Name"}, "--hostname-override"},
        {{"--container-runtime-endpoint=tcp://x", "--hostname-override=n"}, "--container-runtime-endpoint"},
    };
    for (const auto& [args, text] : rows) {
        const Parsed p = parse(args);
        EXPECT_FALSE(p.options);
        EXPECT_EQ(p.exit_code, 2) << p.text;
        EXPECT_NE(p.text.find(text), std::string::npos) << p.text;
        EXPECT_EQ(std::count(p.text.begin(), p.text.end(), '\n'), 1) << p.text;
    }
    EXPECT_EQ(parse({"--version"}).exit_code, 0);
}

}  // namespace
}  // namespace orlop::agent
