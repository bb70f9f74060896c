// Durations as Kubernetes configuration writes them (Go's time.ParseDuration): "1h30m", "1.5s", "100ms".
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::kube {

// Invalid for anything else, for overflow and for a missing unit ("0" alone is allowed).
Result<Nanos> parse_duration(std::string_view text);
std::string format_duration(Nanos duration);

struct Duration {
    Nanos value{0};
    auto operator<=>(const Duration&) const = default;
};

// A point in time as the API shows it: RFC 3339, whole seconds, UTC. Zero is "not set".
struct Time {
    Nanos since_epoch{0};
    auto operator<=>(const Time&) const = default;
};
std::string format_time(Time time);
Result<Time> parse_time(std::string_view text);

}  // namespace orlop::kube
