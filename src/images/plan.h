// What an archive holds, decided before anything is unpacked: which images, from which files, under which
// names.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "images/config.h"
#include "images/digest.h"
#include "images/platform.h"
#include "images/source.h"

namespace orlop::images {

struct LayerPlan {
    std::string file;              // in the source; compressed or not
    Digest diff_id;                // what its uncompressed bytes must hash to
    std::optional<Digest> digest;  // what the file itself must hash to; docker-archives do not say
    uint64_t size = 0;             // of the file
};

struct ImagePlan {
    Digest id;  // of the config
    std::string config_json;
    ImageConfig config;
    std::vector<LayerPlan> layers;                          // lowest first
    std::vector<std::pair<Digest, std::string>> documents;  // to keep: config, manifest, index
    std::vector<std::string> repo_tags, repo_digests;
};

// `reference` as Store::import_archive has it. Everything but the layers is read and verified.
Result<std::vector<ImagePlan>> plan_import(const Source& source, const std::string& reference,
                                           const Platform& host);

}  // namespace orlop::images
