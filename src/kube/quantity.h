// Resource quantities: "250m", "1.5", "128Mi", "1e3" (kubernetes.io, API reference, Quantity).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orlop::kube {

class Quantity {
  public:
    Quantity() = default;
    // Invalid for malformed text and for amounts beyond 2^63-1. Amounts below one nano are rounded up.
    static Result<Quantity> parse(std::string_view text);
    static Quantity whole(int64_t value);

    // Rounded up, away from zero, as the API does; saturated at the range of int64.
    int64_t value() const;
    int64_t milli() const;
    // In units of `divisor`, rounded up.
    int64_t divided_by(const Quantity& divisor) const;
    bool zero() const { return nano_ == 0; }
    bool negative() const { return nano_ < 0; }
    // As it was written.
    const std::string& text() const { return text_; }

    bool operator==(const Quantity& other) const { return nano_ == other.nano_; }
    auto operator<=>(const Quantity& other) const { return nano_ <=> other.nano_; }

  private:
    __extension__ using Wide = __int128;
    static int64_t ceil_div(Wide amount, Wide unit);

    Wide nano_ = 0;
    std::string text_ = "0";
};

}  // namespace orlop::kube
