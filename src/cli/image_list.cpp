#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/image_table.h"

namespace orlop::cli {

Result<int> image_list(const Common& common) {
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), std::chrono::seconds(2)));
    const auto answer =
        TRY(call(client.images(), &cri::ImageService::Stub::ListImages, cri::ListImagesRequest()));
    std::fputs((common.json ? images_json(answer) : images_table(answer)).c_str(), stdout);
    return 0;
}

}  // namespace orlop::cli
