#include "cli/image_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/table.h"

namespace orlop::cli {

namespace {

std::vector<std::string> names_of(const runtime::v1::Image& image) {
    if (image.repo_tags_size() > 0) return {image.repo_tags().begin(), image.repo_tags().end()};
    if (image.repo_digests_size() > 0) return {image.repo_digests().begin(), image.repo_digests().end()};
    return {"<none>"};
}

}  // namespace

std::string images_table(const runtime::v1::ListImagesResponse& images) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& image : images.images())
        for (const std::string& name : names_of(image))
            rows.push_back({name, short_id(image.id()), human_bytes(image.size())});
    std::sort(rows.begin(), rows.end());
    rows.insert(rows.begin(), {"REFERENCE", "IMAGE ID", "SIZE"});
    return render_table(rows);
}

std::string images_json(const runtime::v1::ListImagesResponse& images) {
    nlohmann::json out = nlohmann::json::array();
    for (const auto& image : images.images()) {
        nlohmann::json tags = nlohmann::json::array();
        nlohmann::json digests = nlohmann::json::array();
        for (const std::string& tag : image.repo_tags()) tags.push_back(tag);
        for (const std::string& digest : image.repo_digests()) digests.push_back(digest);
        out.push_back(
            {{"id", image.id()}, {"repoTags", tags}, {"repoDigests", digests}, {"size", image.size()}});
    }
    return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace orlop::cli
