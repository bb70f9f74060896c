// runtime.v1.ImageService and orlop.v1.Images on the image store.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cri/api.grpc.pb.h"
#include "images/registry/puller.h"
#include "images/store.h"
#include "orlop/v1/node.grpc.pb.h"
#include "runtime/core/paths.h"

namespace orlop::core {

namespace cri = ::runtime::v1;

class ImageService final : public cri::ImageService::Service {
    using Context = grpc::ServerContext;

  public:
    // `pinned`: references, which may end with "*".
    ImageService(images::Store& store, registry::Puller& puller, const Paths& paths, const Clock& clock,
                 std::vector<std::string> pinned)
        : store_(store), puller_(puller), paths_(paths), clock_(clock), pinned_(std::move(pinned)) {}

    grpc::Status ListImages(Context*, const cri::ListImagesRequest*, cri::ListImagesResponse*) override;
    grpc::Status ImageStatus(Context*, const cri::ImageStatusRequest*, cri::ImageStatusResponse*) override;
    // One message an image.
    grpc::Status StreamImages(Context*, const cri::StreamImagesRequest*,
                              grpc::ServerWriter<cri::StreamImagesResponse>*) override;
    // Ends when the client's deadline passes or the client leaves.
    grpc::Status PullImage(Context*, const cri::PullImageRequest*, cri::PullImageResponse*) override;
    grpc::Status RemoveImage(Context*, const cri::RemoveImageRequest*, cri::RemoveImageResponse*) override;
    grpc::Status ImageFsInfo(Context*, const cri::ImageFsInfoRequest*, cri::ImageFsInfoResponse*) override;

  private:
    Result<std::vector<cri::Image>> list(const cri::ImageFilter& filter) const;
    cri::Image item(const images::Image& image) const;

    images::Store& store_;
    registry::Puller& puller_;
    const Paths& paths_;
    const Clock& clock_;
    std::vector<std::string> pinned_;
};

// A pull that ends, `stopped`, when its client leaves or its deadline passes.
struct WatchedPull {
    Result<images::Image> image;
    bool stopped = false;
};
WatchedPull pull_watched(registry::Puller& puller, const registry::PullRequest& request,
                         const images::OnProgress& progress, const grpc::ServerContext& context);
grpc::Status pull_status(const WatchedPull& pull, const grpc::ServerContext& context);

class NodeImages final : public orlop::v1::Images::Service {
    using Context = grpc::ServerContext;
    using Progress = grpc::ServerWriter<orlop::v1::ImportProgress>;

  public:
    NodeImages(images::Store& store, registry::Puller& puller) : store_(store), puller_(puller) {}
    grpc::Status Import(Context*, const orlop::v1::ImportRequest*, Progress*) override;
    grpc::Status Pull(Context*, const orlop::v1::PullRequest*, Progress*) override;
    grpc::Status Verify(Context*, const orlop::v1::VerifyRequest*, orlop::v1::VerifyResponse*) override;

  private:
    images::Store& store_;
    registry::Puller& puller_;
};

// What the files below a directory take: 512-byte blocks as allocated and inodes, hard links once.
Result<images::DiskUsage> disk_usage(const std::string& directory);

}  // namespace orlop::core
