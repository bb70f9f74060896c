#include "content.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>

namespace orlop::test_registry {
namespace {

using Json = nlohmann::json;

std::string read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool is_digest(const std::string& text) {
    static const std::regex form("sha256:[0-9a-f]{64}");
    return std::regex_match(text, form);
}

}  // namespace

void apply_range(const std::string& range, Reply& reply) {
    static const std::regex form("bytes=([0-9]{1,18})-([0-9]{0,18})");
    std::smatch found;
    if (!std::regex_match(range, found, form)) return;
    const uint64_t whole = reply.length;
    const uint64_t first = std::stoull(found[1]);
    uint64_t last = found[2].length() > 0 ? std::stoull(found[2]) : whole - 1;
    if (first >= whole || last < first) {
        reply = error_reply(416, "RANGE_INVALID", range);
        reply.headers.emplace_back("Content-Range", "bytes */" + std::to_string(whole));
        return;
    }
    last = std::min(last, whole - 1);
    reply.status = 206;
    reply.from = first;
    reply.length = last - first + 1;
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" +
                                                    std::to_string(last) + "/" + std::to_string(whole));
}

std::map<std::string, std::string> Content::references() const {
    std::map<std::string, std::string> found;
    const Json index = Json::parse(read_whole(directory_ + "/index.json"), nullptr, false);
    if (!index.is_object()) return found;
    for (const Json& entry : index.value("manifests", Json::array())) {
        const std::string name =
            entry.value("annotations", Json::object()).value("org.opencontainers.image.ref.name", "");
        if (!name.empty()) found[name] = entry.value("digest", "");
    }
    return found;
}

std::string Content::path_of(const std::string& digest) const {
    return directory_ + "/blobs/sha256/" + digest.substr(digest.find(':') + 1);
}

Reply Content::manifest(const std::string& repository, const std::string& reference) const {
    std::string digest = reference;
    if (!is_digest(digest)) {
        const auto all = references();
        const auto it = all.find(repository + ":" + reference);
        if (it == all.end()) return error_reply(404, "MANIFEST_UNKNOWN", repository + ":" + reference);
        digest = it->second;
    }
    Reply reply;
    reply.body = read_whole(path_of(digest));
    if (reply.body.empty()) return error_reply(404, "MANIFEST_UNKNOWN", repository + "@" + digest);
    const Json parsed = Json::parse(reply.body, nullptr, false);
    const std::string type = parsed.is_object() ? parsed.value("mediaType", "") : "";
    reply.headers = {
        {"Content-Type", type.empty() ? "application/vnd.oci.image.manifest.v1+json" : type},
        {"Docker-Content-Digest", digest},
    };
    return reply;
}

Reply Content::blob(const Request& request, const std::string& digest) const {
    struct stat status = {};
    if (!is_digest(digest) || stat(path_of(digest).c_str(), &status) != 0)
        return error_reply(404, "BLOB_UNKNOWN", digest);
    Reply reply;
    reply.file = path_of(digest);
    reply.length = static_cast<uint64_t>(status.st_size);
    reply.headers = {
        {"Content-Type", "application/octet-stream"},
        {"Docker-Content-Digest", digest},
        {"Accept-Ranges", "bytes"},
    };
    if (request.method == "GET") apply_range(request.header("range"), reply);
    return reply;
}

Reply Content::tags(const std::string& repository) const {
    Json tags = Json::array();
    for (const auto& [name, digest] : references())
        if (name.rfind(repository + ":", 0) == 0) tags.push_back(name.substr(repository.size() + 1));
    if (tags.empty()) return error_reply(404, "NAME_UNKNOWN", repository);
    return json_reply(200, Json{{"name", repository}, {"tags", tags}}.dump());
}

}  // namespace orlop::test_registry
