#include <cstdio>
#include <set>

#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/table.h"

namespace orlop::cli {

namespace {

// Of containers in every state: an exited one may be looked at or started from its image again.
Result<std::set<std::string>> images_in_use(const CriClient& client) {
    std::set<std::string> used;
    const auto containers =
        TRY(call(client.runtime(), &cri::RuntimeService::Stub::ListContainers, cri::ListContainersRequest()));
    for (const auto& container : containers.containers()) used.insert(container.image_id());
    return used;
}

}  // namespace

Result<int> image_prune(const Common& common, bool all) {
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), std::chrono::seconds(2)));
    const auto images =
        TRY(call(client.images(), &cri::ImageService::Stub::ListImages, cri::ListImagesRequest()));
    const auto used = TRY(images_in_use(client));
    uint64_t bytes = 0;
    for (const auto& image : images.images()) {
        if (image.pinned() || used.contains(image.id()) || (!all && image.repo_tags_size() > 0)) continue;
        cri::RemoveImageRequest request;
        request.mutable_image()->set_image(image.id());
        TRY(call(client.images(), &cri::ImageService::Stub::RemoveImage, request, std::chrono::minutes(2)));
        const std::string name = image.repo_tags_size() > 0      ? image.repo_tags(0)
                                 : image.repo_digests_size() > 0 ? image.repo_digests(0)
                                                                 : "<none>";
        std::printf("removed %s (%s)\n", printable(name).c_str(), short_id(image.id()).c_str());
        bytes += image.size();
    }
    // Layers that other images have too stay, so this is the most it can be.
    std::printf("up to %s freed\n", human_bytes(bytes).c_str());
    return 0;
}

}  // namespace orlop::cli
