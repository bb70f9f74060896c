#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace orlop {

namespace {

Nanos read(clockid_t id) {
    timespec ts{};
    clock_gettime(id, &ts);
    return std::chrono::seconds(ts.tv_sec) + Nanos(ts.tv_nsec);
}

}  // namespace

Nanos SystemClock::monotonic() const {
    return read(CLOCK_MONOTONIC);
}

Nanos SystemClock::wall() const {
    return read(CLOCK_REALTIME);
}

std::string rfc3339_nano(Nanos since_epoch) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const auto rest = static_cast<long>((since_epoch - seconds).count());
    const time_t t = static_cast<time_t>(seconds.count());
    tm parts{};
    gmtime_r(&t, &parts);
    char text[80];
    const int n =
        std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", parts.tm_year + 1900,
                      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, rest);
    return {text, static_cast<size_t>(n)};
}

}  // namespace orlop
