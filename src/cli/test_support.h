// For tests: a temporary directory, a CRI server and an agent that are none.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "cri/api.grpc.pb.h"
#include "orlop/v1/node.grpc.pb.h"

namespace orlop::cli::test {

namespace cri = ::runtime::v1;

class TempDir {
  public:
    TempDir() {
        char name[] = "/tmp/orlop-cli-XXXXXX";
        path_ = mkdtemp(name);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() { std::filesystem::remove_all(path_); }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

inline void write_text(const std::string& path, const std::string& text, bool append = false) {
    std::ofstream(path, append ? std::ios::app : std::ios::trunc) << text;
}

inline std::string read_text(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Answers from tables and writes down what it was asked for.
// What the fake runtime has.
struct FakePods {
    std::vector<cri::PodSandboxStatusResponse> pods;
    std::vector<cri::Container> containers;
    std::string log_path = {};
    std::string broken_pod = {};  // id; StopPodSandbox fails for it
};

class FakeRuntime final : public cri::RuntimeService::Service {
  public:
    void have(FakePods all) {
        const std::lock_guard lock(mutex_);
        all_ = std::move(all);
    }

    std::vector<std::string> calls() {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

  private:
    void note(const std::string& call) {
        const std::lock_guard lock(mutex_);
        calls_.push_back(call);
    }
    grpc::Status Version(grpc::ServerContext*, const cri::VersionRequest*,
                         cri::VersionResponse* out) override {
        out->set_runtime_name("fake");
        out->set_runtime_version("1.2");
        return grpc::Status::OK;
    }
    grpc::Status Status(grpc::ServerContext*, const cri::StatusRequest*, cri::StatusResponse* out) override {
        auto* ready = out->mutable_status()->add_conditions();
        ready->set_type("RuntimeReady");
        ready->set_status(true);
        auto* network = out->mutable_status()->add_conditions();
        network->set_type("NetworkReady");
        network->set_reason("NetworkPluginNotReady");
        network->set_message("no network configuration");
        return grpc::Status::OK;
    }
    grpc::Status ListPodSandbox(grpc::ServerContext*, const cri::ListPodSandboxRequest*,
                                cri::ListPodSandboxResponse* out) override {
        const std::lock_guard lock(mutex_);
        for (const auto& pod : all_.pods) {
            auto* item = out->add_items();
            item->set_id(pod.status().id());
            *item->mutable_metadata() = pod.status().metadata();
            item->set_created_at(pod.status().created_at());
        }
        return grpc::Status::OK;
    }
    grpc::Status PodSandboxStatus(grpc::ServerContext*, const cri::PodSandboxStatusRequest* in,
                                  cri::PodSandboxStatusResponse* out) override {
        const std::lock_guard lock(mutex_);
        for (const auto& pod : all_.pods) {
            if (pod.status().id() != in->pod_sandbox_id()) continue;
            *out = pod;
            return grpc::Status::OK;
        }
        return {grpc::StatusCode::NOT_FOUND, "no such sandbox"};
    }
    grpc::Status ListContainers(grpc::ServerContext*, const cri::ListContainersRequest*,
                                cri::ListContainersResponse* out) override {
        const std::lock_guard lock(mutex_);
        for (const auto& container : all_.containers) *out->add_containers() = container;
        return grpc::Status::OK;
    }
    grpc::Status ContainerStatus(grpc::ServerContext*, const cri::ContainerStatusRequest* in,
                                 cri::ContainerStatusResponse* out) override {
        const std::lock_guard lock(mutex_);
        for (const auto& container : all_.containers) {
            if (container.id() != in->container_id()) continue;
            out->mutable_status()->set_state(container.state());
            out->mutable_status()->set_log_path(all_.log_path);
            return grpc::Status::OK;
        }
        return {grpc::StatusCode::NOT_FOUND, "no such container"};
    }
    grpc::Status StopContainer(grpc::ServerContext*, const cri::StopContainerRequest* in,
                               cri::StopContainerResponse*) override {
        note("stop-container " + in->container_id() + " " + std::to_string(in->timeout()));
        return grpc::Status::OK;
    }
    grpc::Status StopPodSandbox(grpc::ServerContext*, const cri::StopPodSandboxRequest* in,
                                cri::StopPodSandboxResponse*) override {
        note("stop-pod " + in->pod_sandbox_id());
        const std::lock_guard lock(mutex_);
        if (in->pod_sandbox_id() == all_.broken_pod) return {grpc::StatusCode::INTERNAL, "CNI DEL: boom"};
        return grpc::Status::OK;
    }
    grpc::Status RemovePodSandbox(grpc::ServerContext*, const cri::RemovePodSandboxRequest* in,
                                  cri::RemovePodSandboxResponse*) override {
        note("remove-pod " + in->pod_sandbox_id());
        return grpc::Status::OK;
    }

    std::mutex mutex_;  // guards the rest
    std::vector<std::string> calls_;
    FakePods all_;
};

class FakeImages final : public cri::ImageService::Service {
    grpc::Status ListImages(grpc::ServerContext*, const cri::ListImagesRequest*,
                            cri::ListImagesResponse* out) override {
        auto* image = out->add_images();
        image->set_id("sha256:0123456789abcdef");
        image->add_repo_tags("docker.io/library/busybox:1");
        image->set_size(4'240'000);
        return grpc::Status::OK;
    }
    grpc::Status ImageStatus(grpc::ServerContext*, const cri::ImageStatusRequest* in,
                             cri::ImageStatusResponse* out) override {
        if (in->image().image() == "busybox:1") out->mutable_image()->set_id("sha256:0123456789abcdef");
        return grpc::Status::OK;
    }
    grpc::Status RemoveImage(grpc::ServerContext*, const cri::RemoveImageRequest* in,
                             cri::RemoveImageResponse*) override {
        const std::lock_guard lock(mutex_);
        removed_.push_back(in->image().image());
        return grpc::Status::OK;
    }
    std::mutex mutex_;  // guards the rest
    std::vector<std::string> removed_;

  public:
    std::vector<std::string> removed() {
        const std::lock_guard lock(mutex_);
        return removed_;
    }
};

class FakeNodeImages final : public v1::Images::Service {
    grpc::Status Import(grpc::ServerContext*, const v1::ImportRequest* in,
                        grpc::ServerWriter<v1::ImportProgress>* out) override {
        remember(*in);
        v1::ImportProgress progress;
        progress.set_stage("layer");
        progress.set_done_bytes(10);
        out->Write(progress);
        if (in->reference() == "bad") return {grpc::StatusCode::INVALID_ARGUMENT, "malformed reference"};
        progress.set_stage("done");
        progress.add_images()->add_references("docker.io/library/" + in->reference());
        out->Write(progress);
        return grpc::Status::OK;
    }
    void remember(const v1::ImportRequest& request) {
        const std::lock_guard lock(mutex_);
        request_ = request;
    }
    std::mutex mutex_;  // guards the rest
    v1::ImportRequest request_;

  public:
    v1::ImportRequest request() {
        const std::lock_guard lock(mutex_);
        return request_;
    }
};

// All of them on one unix socket.
class FakeNode {
  public:
    explicit FakeNode(const std::string& socket) {
        grpc::ServerBuilder builder;
        builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
        builder.RegisterService(&runtime);
        builder.RegisterService(&images);
        builder.RegisterService(&node_images);
        server_ = builder.BuildAndStart();
    }
    ~FakeNode() { server_->Shutdown(std::chrono::system_clock::now()); }

    FakeRuntime runtime;
    FakeImages images;
    FakeNodeImages node_images;

  private:
    std::unique_ptr<grpc::Server> server_;
};

// Gives the same bytes to every connection, whatever it asks.
class FakeHttp {
  public:
    FakeHttp(const std::string& path, std::string answer) : answer_(std::move(answer)) {
        listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(listener_, 8), 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeHttp() {
        shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(listener_);
    }

  private:
    void serve() {
        for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; close(fd)) {
            char request[4096];
            if (read(fd, request, sizeof request) > 0)
                (void)!write(fd, answer_.data(), answer_.size());
            else
                continue;
            // An answer without an end: the client has to give up by itself.
            if (answer_.empty()) (void)!read(fd, request, sizeof request);
        }
    }

    std::string answer_;
    int listener_ = -1;
    std::thread thread_;
};

}  // namespace orlop::cli::test
