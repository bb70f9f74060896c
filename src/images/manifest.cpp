#include "images/manifest.h"

#include <algorithm>
#include <array>

#include "images/json_fields.h"

namespace orlop::images {

using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 2> kIndexTypes = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
};
constexpr std::array<std::string_view, 2> kManifestTypes = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
};
constexpr std::array<std::string_view, 2> kConfigTypes = {
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
};
constexpr std::array<std::string_view, 10> kLayerTypes = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
};

template <size_t N>
bool one_of(const std::array<std::string_view, N>& types, const std::string& type) {
    return std::find(types.begin(), types.end(), type) != types.end();
}

Result<Descriptor> parse_descriptor(const json& object) {
    if (!object.is_object()) return Error::invalid("descriptor is not an object");
    std::string media_type = TRY(string_field(object, "mediaType"));
    Digest digest = TRY(Digest::parse(TRY(string_field(object, "digest"))));
    const json* size = find_field(object, "size");
    if (size == nullptr || !size->is_number_unsigned())
        return Error::invalid("descriptor " + digest.str() + " has no valid \"size\"");
    Descriptor out{std::move(media_type), std::move(digest), size->get<uint64_t>(), std::nullopt, {}};
    out.annotations = TRY(map_field(object, "annotations"));
    if (const json* platform = find_field(object, "platform")) {
        out.platform =
            Platform{TRY(string_field(*platform, "os")), TRY(string_field(*platform, "architecture")),
                     TRY(string_field(*platform, "variant"))};
    }
    return out;
}

Result<std::vector<Descriptor>> parse_descriptors(const json& list, const char* name) {
    if (!list.is_array()) return Error::invalid("\"" + std::string(name) + "\" is not a list");
    std::vector<Descriptor> out;
    for (const json& item : list) out.push_back(TRY(parse_descriptor(item).under(name)));
    return out;
}

Status check_schema(const json& document) {
    if (!document.is_object()) return Error::invalid("not a JSON object");
    const json* version = find_field(document, "schemaVersion");
    const bool schema1 = version != nullptr && version->is_number_integer() && version->get<int64_t>() == 1;
    if (schema1 || document.contains("fsLayers") || document.contains("signatures"))
        return Error::unimplemented("image manifest schema 1 is not supported; push or save the image again");
    if (version == nullptr || !version->is_number_integer() || version->get<int64_t>() != 2)
        return Error::invalid("\"schemaVersion\" is not 2");
    return ok();
}

Result<Document> parse_index(const json& document) {
    Index index;
    index.manifests = TRY(parse_descriptors(document["manifests"], "manifests"));
    return Document(std::move(index));
}

Result<Document> parse_manifest(const json& document) {
    const json* config = find_field(document, "config");
    if (config == nullptr) return Error::invalid("manifest has no \"config\"");
    Manifest manifest{TRY(parse_descriptor(*config).under("config")), {}};
    const std::string artifact = TRY(string_field(document, "artifactType"));
    if (!one_of(kConfigTypes, manifest.config.media_type) || !artifact.empty())
        return Error::invalid("an artifact (" + (artifact.empty() ? manifest.config.media_type : artifact) +
                              "), not a container image");
    manifest.layers = TRY(parse_descriptors(document["layers"], "layers"));
    if (manifest.layers.size() > kMaxLayers)
        return Error(Kind::Exhausted, "more than " + std::to_string(kMaxLayers) + " layers");
    for (const Descriptor& layer : manifest.layers) {
        if (!one_of(kLayerTypes, layer.media_type))
            return Error::unimplemented("layer media type \"" + layer.media_type + "\" is not supported");
    }
    return Document(std::move(manifest));
}

}  // namespace

Result<Document> parse_document(std::string_view text, const std::string& expected) {
    const json document = TRY(parse_json(text));
    TRY(check_schema(document));
    const bool has_layers = document.contains("layers") || document.contains("config");
    const bool has_manifests = document.contains("manifests");
    if (has_layers && has_manifests)
        return Error::invalid("both an index and a manifest (\"manifests\" beside \"layers\" or \"config\")");
    if (!has_manifests && !document.contains("layers"))
        return Error::invalid("neither \"layers\" nor \"manifests\"");
    const std::string own = TRY(string_field(document, "mediaType"));
    if (!own.empty() && !expected.empty() && own != expected)
        return Error::invalid("\"mediaType\" is \"" + own + "\" where \"" + expected + "\" was announced");
    for (const std::string& type : {own, expected}) {
        const bool agrees = has_manifests ? one_of(kIndexTypes, type) : one_of(kManifestTypes, type);
        if (!type.empty() && !agrees)
            return Error::invalid("media type \"" + type + "\" does not agree with the content, " +
                                  (has_manifests ? "an index" : "a manifest"));
    }
    return has_manifests ? parse_index(document) : parse_manifest(document);
}

Result<Descriptor> choose_platform(const std::vector<Descriptor>& offered, const Platform& host) {
    const Descriptor* best = nullptr;
    int best_rank = 0;
    std::string names;
    for (const Descriptor& candidate : offered) {
        const int rank = candidate.platform ? platform_rank(*candidate.platform, host) * 2 : 1;
        if (rank > best_rank) {
            best = &candidate;
            best_rank = rank;
        }
        if (candidate.platform) names += (names.empty() ? "" : ", ") + candidate.platform->str();
    }
    if (best == nullptr)
        return Error::not_found("no manifest for " + host.str() + " (it has: " + names.substr(0, 500) + ")");
    return *best;
}

Result<std::vector<DockerImage>> parse_docker_manifest(std::string_view text) {
    const json document = TRY(parse_json(text));
    if (!document.is_array()) return Error::invalid("not a list of images");
    std::vector<DockerImage> out;
    for (const json& item : document) {
        if (!item.is_object()) return Error::invalid("image is not an object");
        DockerImage image{TRY(string_field(item, "Config")), TRY(strings_field(item, "RepoTags")),
                          TRY(strings_field(item, "Layers"))};
        if (image.config.empty()) return Error::invalid("image has no \"Config\"");
        if (image.layers.size() > kMaxLayers)
            return Error(Kind::Exhausted, "more than " + std::to_string(kMaxLayers) + " layers");
        out.push_back(std::move(image));
    }
    return out;
}

}  // namespace orlop::images
