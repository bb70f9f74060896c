// The image config: read what archives bring, write one for a plain root filesystem (image-spec config.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/digest.h"
#include "images/platform.h"
#include "images/store.h"

namespace orlop::images {

struct ParsedConfig {
    ImageConfig config;
    std::vector<Digest> diff_ids;  // lowest first
};

// Refuses images that are not for Linux, and fields of the wrong type.
Result<ParsedConfig> parse_config(std::string_view json);

// Without a creation time, so that the same tree and command give the same image id.
std::string make_config(const RootfsImport& request, const Digest& diff_id, const Platform& platform);

}  // namespace orlop::images
