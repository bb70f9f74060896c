// The documents that lead from an image's name to its layers: OCI index and manifest, Docker's equivalents
// and the manifest.json of docker save. Pure: bytes in, values out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "images/digest.h"
#include "images/platform.h"

namespace orlop::images {

// OVL_MAX_STACK of the kernel's overlayfs: more lower layers cannot be mounted.
inline constexpr size_t kMaxLayers = 500;

struct Descriptor {
    std::string media_type;
    Digest digest;
    uint64_t size = 0;
    std::optional<Platform> platform;
    std::map<std::string, std::string> annotations;
};

struct Index {
    std::vector<Descriptor> manifests;
};
struct Manifest {
    Descriptor config;
    std::vector<Descriptor> layers;
};
using Document = std::variant<Index, Manifest>;

// `expected` is the media type that the referring descriptor gave ("" = none). Refused: a mediaType that
// disagrees with it or with the content, both "layers" and "manifests" (CVE-2021-41190), schema 1,
// artifacts that are not images, unknown layer types, more than kMaxLayers layers.
Result<Document> parse_document(std::string_view json, const std::string& expected);

// The best of `offered` for this machine; descriptors without a platform suit if nothing better does.
Result<Descriptor> choose_platform(const std::vector<Descriptor>& offered, const Platform& host);

// One element of docker save's manifest.json; all are names of entries in the archive.
struct DockerImage {
    std::string config;
    std::vector<std::string> repo_tags;
    std::vector<std::string> layers;  // lowest first
};
Result<std::vector<DockerImage>> parse_docker_manifest(std::string_view json);

}  // namespace orlop::images
