#include <cstdio>

#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/table.h"

namespace orlop::cli {

namespace {

// RemoveImage succeeds for what is not there: a person who mistypes a name wants to know.
Status remove_one(const CriClient& client, const std::string& reference) {
    cri::ImageStatusRequest question;
    question.mutable_image()->set_image(reference);
    const auto image = TRY(call(client.images(), &cri::ImageService::Stub::ImageStatus, question));
    if (!image.has_image()) return Error::not_found("there is no image \"" + reference + "\"");
    cri::RemoveImageRequest request;
    request.mutable_image()->set_image(reference);
    TRY(call(client.images(), &cri::ImageService::Stub::RemoveImage, request, std::chrono::minutes(2)));
    std::printf("removed %s (%s)\n", printable(reference).c_str(), short_id(image.image().id()).c_str());
    return ok();
}

}  // namespace

Result<int> image_remove(const Common& common, const std::vector<std::string>& references) {
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), std::chrono::seconds(2)));
    int code = 0;
    for (const std::string& reference : references) {
        if (const Status removed = remove_one(client, reference); !removed) {
            std::fprintf(stderr, "orlop: %s\n", removed.error().what().c_str());
            code = 1;
        }
    }
    return code;
}

}  // namespace orlop::cli
