// Looking into images without a container.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::core {

// Is there such a path in an image of these layers, highest first? Links are followed inside the image.
// NotFound says no. Kernels before Linux 6.7 cannot be asked without mounting: they always say yes, and the
// start fails.
Status image_has(const std::vector<std::string>& layers, const std::string& path);

}  // namespace orlop::core
