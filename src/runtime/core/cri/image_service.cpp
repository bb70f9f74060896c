#include "runtime/core/cri/image_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "images/digest.h"
#include "runtime/core/cri/serve.h"
#include "runtime/core/cri/views.h"

namespace orlop::core {

namespace {

using nlohmann::json;

std::string chain_of(const images::Image& image) {
    std::optional<images::Digest> chain;
    for (const std::string& layer : image.layers) {
        const auto diff_id = images::Digest::parse(layer);
        if (!diff_id) return "";
        chain = images::chain_id(chain, *diff_id);
    }
    return chain ? chain->str() : "";
}

bool names(const std::string& pattern, const std::string& reference) {
    if (pattern.ends_with('*')) return reference.starts_with(pattern.substr(0, pattern.size() - 1));
    const auto parsed = images::Reference::parse(pattern);
    return parsed && parsed->str() == reference;
}

std::string image_info(const images::Image& image) {
    json spec = json::parse(image.config_json, nullptr, false);
    const json info = {{"chainID", chain_of(image)},
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

cri::Image ImageService::item(const images::Image& image) const {
    cri::Image out = item_of(image);
    const auto pinned = [&](const std::string& reference) {
        return std::any_of(pinned_.begin(), pinned_.end(),
                           [&](const std::string& pattern) { return names(pattern, reference); });
    };
    out.set_pinned(image.pinned || std::any_of(image.repo_tags.begin(), image.repo_tags.end(), pinned) ||
                   std::any_of(image.repo_digests.begin(), image.repo_digests.end(), pinned));
    return out;
}

Result<std::vector<cri::Image>> ImageService::list(const cri::ImageFilter& filter) const {
    std::vector<cri::Image> out;
    const std::string& wanted = filter.image().image();
    if (!wanted.empty()) {
        if (auto image = TRY(store_.find(wanted))) out.push_back(item(*image));
        return out;
    }
    for (const images::Image& image : TRY(store_.list())) out.push_back(item(image));
    return out;
}

grpc::Status ImageService::ListImages(Context*, const cri::ListImagesRequest* request,
                                      cri::ListImagesResponse* response) {
    return serve("ListImages", [&]() -> orlop::Status {
        for (cri::Image& image : TRY(list(request->filter()))) *response->add_images() = std::move(image);
        return ok();
    });
}

grpc::Status ImageService::StreamImages(Context*, const cri::StreamImagesRequest* request,
                                        grpc::ServerWriter<cri::StreamImagesResponse>* writer) {
    return serve("StreamImages", [&]() -> orlop::Status {
        for (cri::Image& image : TRY(list(request->filter()))) {
            cri::StreamImagesResponse message;
            *message.add_images() = std::move(image);
            // The client left.
            if (!writer->Write(message)) return ok();
        }
        return ok();
    });
}

grpc::Status ImageService::ImageStatus(Context*, const cri::ImageStatusRequest* request,
                                       cri::ImageStatusResponse* response) {
    return serve("ImageStatus", [&]() -> orlop::Status {
        if (request->image().image().empty()) return Error::invalid("image.image is empty");
        const auto image = TRY(store_.find(request->image().image()));
        if (!image) return ok();
        *response->mutable_image() = item(*image);
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
