// Images as text. Pure.
#pragma once

#include <string>

#include "cri/api.pb.h"

namespace orlop::cli {

// REFERENCE IMAGE ID SIZE, a line for each name, sorted. An image without a name shows as <none>.
std::string images_table(const runtime::v1::ListImagesResponse& images);
std::string images_json(const runtime::v1::ListImagesResponse& images);

}  // namespace orlop::cli
