// When a container that ended may start again: at once, then 10 s, 20 s, ... up to a maximum after its end;
// after running twice the maximum it starts from the beginning (kubernetes.io, Pod Lifecycle).
#pragma once

#include "base/clock.h"

namespace orlop::agent {

inline constexpr Nanos kFirstBackoff = std::chrono::seconds(10);

struct Backoff {
    Nanos delay{0};    // 0: the next start needs no wait
    Nanos updated{0};  // when the delay was last raised, monotonic
    bool operator==(const Backoff&) const = default;
};

inline bool expired(const Backoff& b, Nanos ended, Nanos max) {
    return ended - b.updated > 2 * max;
}
// The earliest start after an end at `ended`.
inline Nanos ready_at(const Backoff& b, Nanos ended, Nanos max) {
    return expired(b, ended, max) ? ended : ended + b.delay;
}
// After a start at `now` of a container that had ended at `ended`.
inline Backoff advance(const Backoff& b, Nanos ended, Nanos now, Nanos max) {
    const bool fresh = b.delay == Nanos(0) || expired(b, ended, max);
    return {std::min(fresh ? kFirstBackoff : 2 * b.delay, max), now};
}

}  // namespace orlop::agent
