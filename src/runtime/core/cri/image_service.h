// runtime.v1.ImageService and orlop.v1.Images on the image store.
#pragma once

#include <string>

#include "base/clock.h"
#include "images/registry/puller.h"
#include "images/store.h"
#include "orlop/v1/node.grpc.pb.h"
#include "runtime/core/cri/not_built.h"
#include "runtime/core/paths.h"

namespace orlop::core {

class ImageService final : public NotBuiltImages {
    using Context = grpc::ServerContext;

  public:
    ImageService(images::Store& store, registry::Puller& puller, const Paths& paths, const Clock& clock)
        : store_(store), puller_(puller), paths_(paths), clock_(clock) {}

    grpc::Status ListImages(Context*, const cri::ListImagesRequest*, cri::ListImagesResponse*) override;
    grpc::Status ImageStatus(Context*, const cri::ImageStatusRequest*, cri::ImageStatusResponse*) override;
    // Ends when the client's deadline passes or the client leaves.
    grpc::Status PullImage(Context*, const cri::PullImageRequest*, cri::PullImageResponse*) override;
    grpc::Status RemoveImage(Context*, const cri::RemoveImageRequest*, cri::RemoveImageResponse*) override;
    grpc::Status ImageFsInfo(Context*, const cri::ImageFsInfoRequest*, cri::ImageFsInfoResponse*) override;

  private:
    images::Store& store_;
    registry::Puller& puller_;
    const Paths& paths_;
    const Clock& clock_;
};

class NodeImages final : public orlop::v1::Images::Service {
  public:
    explicit NodeImages(images::Store& store) : store_(store) {}
    grpc::Status Import(grpc::ServerContext*, const orlop::v1::ImportRequest*,
                        grpc::ServerWriter<orlop::v1::ImportProgress>*) override;

  private:
    images::Store& store_;
};

// What the files below a directory take: 512-byte blocks as allocated and inodes, hard links once.
Result<images::DiskUsage> disk_usage(const std::string& directory);

}  // namespace orlop::core
