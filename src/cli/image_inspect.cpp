#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/cri_client.h"

namespace orlop::cli {

namespace {

using nlohmann::json;

Result<json> describe(const CriClient& client, const std::string& reference) {
    cri::ImageStatusRequest question;
    question.mutable_image()->set_image(reference);
    question.set_verbose(true);
    const auto answer = TRY(call(client.images(), &cri::ImageService::Stub::ImageStatus, question));
    if (!answer.has_image()) return Error::not_found("there is no image \"" + reference + "\"");
    const cri::Image& image = answer.image();
    json out = {
        {"id", image.id()},
        {"repoTags", std::vector<std::string>(image.repo_tags().begin(), image.repo_tags().end())},
        {"repoDigests", std::vector<std::string>(image.repo_digests().begin(), image.repo_digests().end())},
        {"size", image.size()},
        {"pinned", image.pinned()}};
    const auto info = answer.info().find("info");
    const json more = info == answer.info().end() ? json() : json::parse(info->second, nullptr, false);
    if (more.is_object()) out.update(more);
    return out;
}

}  // namespace

Result<int> image_inspect(const Common& common, const std::vector<std::string>& references) {
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), std::chrono::seconds(2)));
    json all = json::array();
    for (const std::string& reference : references) all.push_back(TRY(describe(client, reference)));
    std::printf("%s\n", all.dump(2, ' ', true, json::error_handler_t::replace).c_str());
    return 0;
}

}  // namespace orlop::cli
