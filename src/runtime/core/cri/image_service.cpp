#include "runtime/core/cri/image_service.h"

#include <nlohmann/json.hpp>

#include "runtime/core/cri/serve.h"
#include "runtime/core/cri/views.h"

namespace orlop::core {

namespace {

using nlohmann::json;

std::string image_info(const images::Image& image) {
    json spec = json::parse(image.config_json, nullptr, false);
    const json info = {{"chainID", image.layers.empty() ? "" : image.layers.back()},
                       {"layers", image.layers},
                       {"imageSpec", spec.is_discarded() ? json() : spec}};
    return info.dump(-1, ' ', false, json::error_handler_t::replace);
}

void fill(cri::FilesystemUsage* into, const std::string& mountpoint, const images::DiskUsage& usage,
          int64_t now) {
    into->set_timestamp(now);
    into->mutable_fs_id()->set_mountpoint(mountpoint);
    into->mutable_used_bytes()->set_value(usage.bytes);
    into->mutable_inodes_used()->set_value(usage.inodes);
}

}  // namespace

grpc::Status ImageService::ListImages(Context*, const cri::ListImagesRequest* request,
                                      cri::ListImagesResponse* response) {
    return serve("ListImages", [&]() -> orlop::Status {
        const std::string& wanted = request->filter().image().image();
        if (!wanted.empty()) {
            if (auto image = TRY(store_.find(wanted))) *response->add_images() = item_of(*image);
            return ok();
        }
        for (const images::Image& image : TRY(store_.list())) *response->add_images() = item_of(image);
        return ok();
    });
}

grpc::Status ImageService::ImageStatus(Context*, const cri::ImageStatusRequest* request,
                                       cri::ImageStatusResponse* response) {
    return serve("ImageStatus", [&]() -> orlop::Status {
        if (request->image().image().empty()) return Error::invalid("image.image is empty");
        const auto image = TRY(store_.find(request->image().image()));
        if (!image) return ok();
        *response->mutable_image() = item_of(*image);
        *response->mutable_image()->mutable_spec()->mutable_annotations() = request->image().annotations();
        if (request->verbose()) (*response->mutable_info())["info"] = image_info(*image);
        return ok();
    });
}

grpc::Status ImageService::RemoveImage(Context*, const cri::RemoveImageRequest* request,
                                       cri::RemoveImageResponse*) {
    return serve("RemoveImage", [&]() -> orlop::Status {
        if (request->image().image().empty()) return Error::invalid("image.image is empty");
        return store_.remove(request->image().image());
    });
}

grpc::Status ImageService::ImageFsInfo(Context*, const cri::ImageFsInfoRequest*,
                                       cri::ImageFsInfoResponse* response) {
    return serve("ImageFsInfo", [&]() -> orlop::Status {
        const int64_t now = clock_.wall().count();
        // One mount point for both: images and writable layers are below the same directory, and the kubelet
        // takes different names for a split disk.
        fill(response->add_image_filesystems(), paths_.root, TRY(store_.usage()), now);
        fill(response->add_container_filesystems(), paths_.root, TRY(disk_usage(paths_.containers())), now);
        return ok();
    });
}

}  // namespace orlop::core
