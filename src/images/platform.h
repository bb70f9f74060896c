// Which manifest of a multi-platform index this machine runs (image-spec image-index.md).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::images {

struct Platform {
    std::string os, architecture, variant;  // "linux", "arm64", "v8"
    std::string str() const;
    // Of this machine: uname(2) and, on amd64, the x86-64 level of the CPU.
    static Platform host();
};

// How well `offered` suits: 0 = not at all; the larger the better (the highest variant that still runs).
int platform_rank(const Platform& offered, const Platform& host);

}  // namespace orlop::images
