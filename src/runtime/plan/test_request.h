// A container request that plans well, for tests to bend.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <string>

#include "runtime/launch/capability_names.h"
#include "runtime/plan/plan.h"

namespace orlop::plan {

using launch::all_capabilities;

struct TestRequest {
    TestRequest() {
        sandbox.mutable_metadata()->set_name("pod");
        sandbox.mutable_metadata()->set_namespace_("default");
        sandbox.mutable_metadata()->set_uid("u-1");
        sandbox.set_hostname("pod-1");
        config.mutable_metadata()->set_name("main");
        config.add_command("/bin/app");
        facts.capabilities = all_capabilities();
        facts.hostname = "node-1";
        facts.hugepage_sizes = {{"2MB", 2 << 20}, {"1GB", 1 << 30}};
    }

    cri::LinuxContainerSecurityContext& security() {
        return *config.mutable_linux()->mutable_security_context();
    }
    cri::LinuxSandboxSecurityContext& pod_security() {
        return *sandbox.mutable_linux()->mutable_security_context();
    }
    cri::LinuxContainerResources& resources() { return *config.mutable_linux()->mutable_resources(); }
    void make_privileged() {
        pod_security().set_privileged(true);
        security().set_privileged(true);
    }
    cri::Mount& add_mount(const std::string& from, const std::string& to) {
        cri::Mount& mount = *config.add_mounts();
        mount.set_host_path(from);
        mount.set_container_path(to);
        return mount;
    }
    ContainerRequest request() {
        return {config,  sandbox,      image,          sandbox_paths, paths, "c1", mount_is_directory,
                devices, host_devices, seccomp_profile};
    }
    Result<launch::LaunchPlan> plan() { return plan_container(request(), facts); }
    // Plans what is expected to plan; an empty plan and a failed test otherwise.
    launch::LaunchPlan good_plan() {
        auto result = plan();
        EXPECT_TRUE(result.ok()) << (result ? "" : result.error().what());
        return result.value_or({});
    }

    cri::ContainerConfig config;
    cri::PodSandboxConfig sandbox;
    images::Image image;
    SandboxPaths sandbox_paths{"/run/netns/pod", "/run/pod/shm", "/run/pod/hostname", "/run/pod/hosts",
                               "/run/pod/resolv.conf"};
    ContainerPaths paths{{"/layers/b", "/layers/a"}, "/c1/upper", "/c1/work", "/c1/root"};
    std::vector<bool> mount_is_directory;
    std::vector<FoundDevice> devices;
    std::vector<launch::DeviceNode> host_devices;
    std::optional<std::string> seccomp_profile;
    NodeFacts facts;
};

// The result is an error of this kind whose text has the words in it.
template <class T>
void expect_error(const Result<T>& result, Kind kind, const std::string& words) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind(), kind) << result.error().what();
    EXPECT_THAT(result.error().what(), testing::HasSubstr(words));
}

}  // namespace orlop::plan
