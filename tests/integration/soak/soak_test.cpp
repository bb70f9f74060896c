// Ten thousand commands and a thousand pods against one daemon, over CRI itself: nothing of them stays with
// it. Long, so a part of `make test-all` only (ORLOP_IT_ALL=1 asks run-everywhere for it).
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <thread>

#include "base/strong.h"
#include "cri/api.grpc.pb.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

namespace cri = ::runtime::v1;

constexpr int kWorkers = 4;

class Soak : public NodeTest {
  protected:
    void SetUp() override {
        NodeTest::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        stub_ = cri::RuntimeService::NewStub(
            grpc::CreateChannel("unix://" + node().paths().socket, grpc::InsecureChannelCredentials()));
    }

    static cri::PodSandboxConfig pod_named(const std::string& name, const std::string& parent) {
        cri::PodSandboxConfig pod;
        pod.mutable_metadata()->set_name(name);
        pod.mutable_metadata()->set_namespace_("soak");
        pod.mutable_metadata()->set_uid(random_uuid());
        pod.mutable_linux()->set_cgroup_parent(parent);
        pod.mutable_linux()->mutable_security_context()->mutable_namespace_options()->set_pid(cri::CONTAINER);
        return pod;
    }

    // The pod and its container; empty after a failure of the test.
    Launched run(const cri::PodSandboxConfig& pod) {
        Launched made;
        cri::RunPodSandboxRequest run;
        *run.mutable_config() = pod;
        cri::RunPodSandboxResponse ran;
        if (!good(&cri::RuntimeService::Stub::RunPodSandbox, run, ran)) return made;
        made.pod = ran.pod_sandbox_id();
        cri::CreateContainerRequest create;
        create.set_pod_sandbox_id(made.pod);
        *create.mutable_sandbox_config() = pod;
        create.mutable_config()->mutable_metadata()->set_name("main");
        create.mutable_config()->mutable_image()->set_image(kBusyboxImage);
        for (const char* word : {"/bin/sleep", "100000"}) create.mutable_config()->add_command(word);
        *create.mutable_config()->mutable_linux()->mutable_security_context()->mutable_namespace_options() =
            pod.linux().security_context().namespace_options();
        cri::CreateContainerResponse created;
        if (!good(&cri::RuntimeService::Stub::CreateContainer, create, created)) return made;
        cri::StartContainerRequest start;
        start.set_container_id(created.container_id());
        cri::StartContainerResponse started;
        if (good(&cri::RuntimeService::Stub::StartContainer, start, started))
            made.container = created.container_id();
        return made;
    }

    bool remove(const std::string& pod) {
        cri::StopPodSandboxRequest stop;
        stop.set_pod_sandbox_id(pod);
        cri::StopPodSandboxResponse stopped;
        cri::RemovePodSandboxRequest remove;
        remove.set_pod_sandbox_id(pod);
        cri::RemovePodSandboxResponse removed;
        return good(&cri::RuntimeService::Stub::StopPodSandbox, stop, stopped) &&
               good(&cri::RuntimeService::Stub::RemovePodSandbox, remove, removed);
    }

    bool exec(const std::string& container, int number) {
        cri::ExecSyncRequest request;
        request.set_container_id(container);
        request.set_timeout(60);
        for (const std::string& word : {std::string("/bin/echo"), std::to_string(number)})
            request.add_cmd(word);
        cri::ExecSyncResponse response;
        if (!good(&cri::RuntimeService::Stub::ExecSync, request, response)) return false;
        EXPECT_EQ(response.stdout(), std::to_string(number) + "\n");
        return response.exit_code() == 0;
    }

    // `one` for each number below `count`, by a few at a time; stops at the first failure.
    void spread(int count, const std::function<bool(int)>& one) {
        std::atomic<int> next = 0;
        std::atomic<bool> failed = false;
        std::vector<std::thread> workers;
        for (int w = 0; w < kWorkers; ++w) {
            workers.emplace_back([&] {
                for (int i = next++; i < count && !failed; i = next++) {
                    if (!one(i)) failed = true;
                }
            });
        }
        for (std::thread& worker : workers) worker.join();
        EXPECT_FALSE(failed);
    }

    void expect_flat(const char* what, int count, const Footprint& before) {
        const Footprint after = footprint(node().runtime().pid());
        std::cout << count << " " << what << ": descriptors " << before.fds << " -> " << after.fds
                  << ", threads " << before.threads << " -> " << after.threads << ", RSS " << before.rss_kib
                  << " -> " << after.rss_kib << " KiB\n";
        EXPECT_LE(after.fds, before.fds + 2);
        EXPECT_LE(after.threads, before.threads + 2);
        EXPECT_LE(after.rss_kib, before.rss_kib + before.rss_kib / 20) << "more than 5 %";
    }

  private:
    template <class Request, class Response>
    bool good(grpc::Status (cri::RuntimeService::Stub::*call)(grpc::ClientContext*, const Request&,
                                                              Response*),
              const Request& request, Response& response) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + scaled(120));
        const grpc::Status status = (stub_.get()->*call)(&context, request, &response);
        EXPECT_TRUE(status.ok()) << status.error_message();
        return status.ok();
    }

    std::unique_ptr<cri::RuntimeService::Stub> stub_;
};

TEST_F(Soak, TenThousandCommands) {
    const Launched c = run(pod_named("exec", node().cgroup_parent()));
    ASSERT_FALSE(c.container.empty());
    // Pools and allocator arenas fill up on the first ones.
    spread(500, [&](int i) { return exec(c.container, i); });
    const Footprint before = footprint(node().runtime().pid());
    spread(10'000, [&](int i) { return exec(c.container, i); });
    expect_flat("commands", 10'000, before);
}

TEST_F(Soak, AThousandPods) {
    const auto one = [&](int i) {
        const Launched pod = run(pod_named("pod-" + std::to_string(i), node().cgroup_parent()));
        return !pod.container.empty() && remove(pod.pod);
    };
    spread(100, one);
    const Footprint before = footprint(node().runtime().pid());
    spread(1000, one);
    expect_flat("pods", 1000, before);
}

}  // namespace
}  // namespace orlop::it
