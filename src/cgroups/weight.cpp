#include <algorithm>
#include <cmath>

#include "cgroups/resources.h"

namespace orlop::cgroups {

uint64_t weight_from_shares(uint64_t shares) {
    const double s = static_cast<double>(std::clamp<uint64_t>(shares, 2, 262144));
    const double l = std::log2(s);
    const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
    // Rounded up: 1024 shares, a whole CPU, become exactly the default weight of 100.
    const double weight = std::ceil(std::pow(10, exponent));
    return static_cast<uint64_t>(std::clamp(weight, 1.0, 10000.0));
}

uint64_t io_weight_from_blkio(uint16_t weight) {
    const uint64_t w = std::clamp<uint64_t>(weight, 10, 1000);
    return 1 + (w - 10) * 9999 / 990;
}

}  // namespace orlop::cgroups
