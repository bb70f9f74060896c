#include "kube/duration.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace orlop::kube {

namespace {

struct Unit {
    std::string_view name;
    double nanos;
};
// Longer names first where one starts with another ("ms" before "m").
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1e3},
                                      {"\u00b5s", 1e3},
                                      {"\u03bcs", 1e3},
                                      {"ms", 1e6},
                                      {"s", 1e9},
                                      {"m", 60e9},
                                      {"h", 3600e9}}};

Error bad(std::string_view text) {
    return Error::invalid("not a duration such as 30s or 1m30s: '" + std::string(text) + "'");
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text) {
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest == "0") return Nanos(0);
    if (rest.empty() || text.size() > 64) return bad(text);
    double total = 0;
    while (!rest.empty()) {
        const size_t digits = rest.find_first_not_of("0123456789.");
        if (digits == 0 || digits == std::string_view::npos) return bad(text);
        const std::string number(rest.substr(0, digits));
        if (number == "." || number.find('.') != number.rfind('.')) return bad(text);
        rest.remove_prefix(digits);
        const Unit* unit = nullptr;
        for (const Unit& each : kUnits) {
            if (rest.starts_with(each.name) && unit == nullptr) unit = &each;
        }
        if (unit == nullptr) return bad(text);
        rest.remove_prefix(unit->name.size());
        total += std::strtod(number.c_str(), nullptr) * unit->nanos;
    }
    if (total > 9.2e18) return bad(text);
    const auto nanos = static_cast<int64_t>(std::llround(total));
    return Nanos(negative ? -nanos : nanos);
}

std::string format_duration(Nanos duration) {
    const int64_t total = duration.count();
    if (total == 0) return "0s";
    if (total % 1'000'000'000 != 0) return std::to_string(total / 1'000'000) + "ms";
    int64_t seconds = total / 1'000'000'000;
    std::string out = seconds < 0 ? "-" : "";
    seconds = seconds < 0 ? -seconds : seconds;
    if (seconds >= 3600) out += std::to_string(seconds / 3600) + "h";
    if (seconds >= 60) out += std::to_string(seconds / 60 % 60) + "m";
    return out + std::to_string(seconds % 60) + "s";
}

std::string format_time(Time time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time.since_epoch);
    const time_t t = static_cast<time_t>(seconds.count());
    tm parts{};
    gmtime_r(&t, &parts);
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return text.data();
}

Result<Time> parse_time(std::string_view text) {
    tm parts{};
    const std::string copy(text);
    const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == nullptr || *end != '\0')
        return Error::invalid("not a time such as 2026-01-02T03:04:05Z: '" + copy + "'");
    return Time{std::chrono::seconds(timegm(&parts))};
}

}  // namespace orlop::kube
