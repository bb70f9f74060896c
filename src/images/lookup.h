// Which image a text of a user or CRI client means.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "images/store.h"

namespace orlop::images {

// In this order: the whole id, a reference by digest or tag, a unique prefix of the id (>= 4 digits).
// Index into `images`; Invalid if a prefix matches several or the text is neither a reference nor an id.
Result<std::optional<size_t>> find_image(const std::vector<Image>& images, const std::string& text);

}  // namespace orlop::images
