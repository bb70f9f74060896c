#include "runtime/oci/signals.h"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace orlop::oci {

namespace {

// signal(7). The C library keeps the first two real-time signals for itself: SIGRTMIN is 34 for programs.
constexpr int kRealTimeMin = 34;
constexpr int kRealTimeMax = 64;

std::optional<int> number_of(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<int> by_name(std::string_view name) {
    for (int number = 1; number < kRealTimeMin; ++number) {
        const char* known = sigabbrev_np(number);
        if (known != nullptr && name == known) return number;
    }
    // Their other names, which sigabbrev_np(3) does not give.
    if (name == "IOT") return SIGABRT;
    if (name == "CLD") return SIGCHLD;
    if (name == "IO") return SIGIO;
    return std::nullopt;
}

// "RTMIN", "RTMIN+3", "RTMAX-1"
std::optional<int> real_time(std::string_view text) {
    const bool from_min = text.starts_with("RTMIN");
    if (!from_min && !text.starts_with("RTMAX")) return std::nullopt;
    const int base = from_min ? kRealTimeMin : kRealTimeMax;
    text.remove_prefix(5);
    if (text.empty()) return base;
    if (text.front() != (from_min ? '+' : '-')) return std::nullopt;
    const auto offset = number_of(text.substr(1));
    if (!offset || *offset < 0 || *offset > kRealTimeMax - kRealTimeMin) return std::nullopt;
    return from_min ? base + *offset : base - *offset;
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    std::optional<int> signal = number_of(upper);
    if (!signal) {
        std::string_view name = upper;
        if (name.starts_with("SIG")) name.remove_prefix(3);
        signal = by_name(name);
        if (!signal) signal = real_time(name);
    }
    if (!signal || *signal < 0 || *signal > kRealTimeMax) {
        return Error::invalid("unknown signal \"" + std::string(text) + "\"");
    }
    return *signal;
}

}  // namespace orlop::oci
