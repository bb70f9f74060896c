#include "kube/kubelet_config.h"

#include <gtest/gtest.h>

namespace orlop::kube {
namespace {

std::string config(const std::string& fields) {
    return "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n" + fields;
}

TEST(KubeletConfigFile, DefaultsAreTheKubelets) {
    const auto read = read_kubelet_config(config(""));
    ASSERT_TRUE(read) << read.error().what();
    EXPECT_EQ(read->config.healthz_port, 10248);
    EXPECT_EQ(read->config.file_check_frequency.value, std::chrono::seconds(20));
    EXPECT_EQ(read->config.max_pods, 110);
    EXPECT_TRUE(read->warnings.empty());
}

TEST(KubeletConfigFile, FieldsAreActedOn) {
    const auto read = read_kubelet_config(
        config("staticPodPath: /etc/kubernetes/manifests\nfileCheckFrequency: 5s\nhealthzPort: "
               "0\ncgroupDriver: systemd\n"
               "clusterDNS: [10.96.0.10]\nclusterDomain: cluster.local\ncrashLoopBackOff: "
               "{maxContainerRestartPeriod: 30s}\n"
               "podPidsLimit: 100\ncpuCFSQuota: false\nlogging: {format: json, verbosity: 4}\n"));
    ASSERT_TRUE(read) << read.error().what();
    EXPECT_EQ(read->config.static_pod_path, "/etc/kubernetes/manifests");
    EXPECT_EQ(read->config.cgroup_driver, CgroupDriverName::Systemd);
    EXPECT_EQ(read->config.cluster_dns.at(0), "10.96.0.10");
    EXPECT_EQ(read->config.crash_loop.max_restart_period.value, std::chrono::seconds(30));
    EXPECT_EQ(read->config.logging.format, "json");
    EXPECT_TRUE(read->warnings.empty());
}

TEST(KubeletConfigFile, KnownFieldsWithoutEffectAreNamed) {
    const auto read =
        read_kubelet_config(config("evictionHard: {memory.available: 100Mi}\nrotateCertificates: true\n"));
    ASSERT_TRUE(read) << read.error().what();
    ASSERT_EQ(read->warnings.size(), 2u);
    EXPECT_EQ(read->warnings[0].text(), "evictionHard: is not acted on yet");
    EXPECT_EQ(read->warnings[1].text(), "rotateCertificates: is not acted on yet");
}

TEST(KubeletConfigFile, MistakesAreOneLineNamingTheField) {
    const std::pair<std::string, std::string> rows[] = {
        {config("staticPodPaht: /x\n"), "staticPodPaht: unknown field"},
        {config("healthzPort: high\n"), "healthzPort: must be a whole number, found a string"},
        {config("healthzPort: 70000\n"), "healthzPort: must be 0..65535"},
        {config("fileCheckFrequency: 20\n"),
         "fileCheckFrequency: must be a duration such as \"20s\", found a number"},
        {config("evictionHard: yes\n"), "evictionHard: must be a mapping, found a boolean"},
        {config("cgroupDriver: upstart\n"), "cgroupDriver: 'upstart' is none of \"\", cgroupfs, systemd"},
        {config("containerRuntimeEndpoint: tcp://1.2.3.4:5\n"),
         "containerRuntimeEndpoint: must be unix:///PATH, found 'tcp://1.2.3.4:5'"},
        {config("crashLoopBackOff: {maxContainerRestartPeriod: 1h}\n"),
         "crashLoopBackOff.maxContainerRestartPeriod: must be 1s..300s"},
        {config("logging: {colour: blue}\n"), "logging.colour: unknown field"},
        {"kind: KubeletConfiguration\n", "apiVersion: required"},
        {"apiVersion: v1\nkind: KubeletConfiguration\n",
         "apiVersion: must be kubelet.config.k8s.io/v1beta1, found \"v1\""},
        {"", "must hold one KubeletConfiguration"},
    };
    for (const auto& [text, error] : rows) {
        const auto read = read_kubelet_config(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().what(), error);
    }
}

}  // namespace
}  // namespace orlop::kube
