#include "kube/quantity.h"

#include <array>
#include <limits>
#include <optional>

namespace orlop::kube {

namespace {

__extension__ using Wide = __int128;

constexpr int64_t kNano = 1'000'000'000;
constexpr Wide kMax = Wide(std::numeric_limits<int64_t>::max()) * kNano;

struct Suffix {
    std::string_view name;
    int base;  // 2 or 10
    int power;
};
constexpr std::array<Suffix, 16> kSuffixes{{{"n", 10, -9},
                                            {"u", 10, -6},
                                            {"m", 10, -3},
                                            {"", 10, 0},
                                            {"k", 10, 3},
                                            {"M", 10, 6},
                                            {"G", 10, 9},
                                            {"T", 10, 12},
                                            {"P", 10, 15},
                                            {"E", 10, 18},
                                            {"Ki", 2, 10},
                                            {"Mi", 2, 20},
                                            {"Gi", 2, 30},
                                            {"Ti", 2, 40},
                                            {"Pi", 2, 50},
                                            {"Ei", 2, 60}}};

// "e3", "E-2": a decimal exponent of at most two digits.
std::optional<Suffix> exponent(std::string_view text) {
    if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return {};
    text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || text.size() > 2) return {};
    int power = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return {};
        power = power * 10 + (c - '0');
    }
    return Suffix{"e", 10, negative ? -power : power};
}

std::optional<Suffix> suffix(std::string_view text) {
    for (const Suffix& each : kSuffixes) {
        if (each.name == text) return each;
    }
    return exponent(text);
}

struct Number {
    std::string digits;  // without the point
    int scale = 0;       // digits behind the point
};

std::optional<Number> number(std::string_view text) {
    Number out;
    bool point = false;
    for (const char c : text) {
        if (c == '.') {
            if (point) return {};
            point = true;
            continue;
        }
        out.digits += c;
        if (point) ++out.scale;
    }
    if (out.digits.empty()) return {};
    return out;
}

// digits * 10^-scale * base^power in nano units, rounded up; nothing if it does not fit.
std::optional<Wide> scaled(const Number& n, const Suffix& by) {
    Wide amount = 0;
    for (const char c : n.digits) {
        amount = amount * 10 + (c - '0');
        if (amount > kMax) return {};
    }
    if (amount == 0) return Wide(0);
    int tens = 9 - n.scale + (by.base == 10 ? by.power : 0);
    for (int twos = by.base == 2 ? by.power : 0; twos > 0; --twos) {
        amount *= 2;
        // Fraction digits are still to be divided away: leave room for them before giving up.
        if (amount > kMax * 10'000'000) return {};
    }
    bool inexact = false;
    for (; tens < 0; ++tens) {
        inexact = inexact || amount % 10 != 0;
        amount /= 10;
    }
    for (; tens > 0; --tens) {
        amount *= 10;
        if (amount > kMax) return {};
    }
    amount += inexact ? 1 : 0;
    if (amount > kMax) return {};
    return amount;
}

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
    const auto bad = [&] {
        return Error::invalid("not a quantity such as 500m, 2 or 128Mi: '" + std::string(text) + "'");
    };
    if (text.empty() || text.size() > 40) return bad();
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    const size_t end = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const auto n = number(rest.substr(0, end));
    const auto by = suffix(rest.substr(end));
    if (!n || !by) return bad();
    const auto amount = scaled(*n, *by);
    if (!amount) return Error::invalid("quantity too large: '" + std::string(text) + "'");
    Quantity out;
    out.nano_ = negative ? -*amount : *amount;
    out.text_ = text;
    return out;
}

Quantity Quantity::whole(int64_t value) {
    Quantity out;
    out.nano_ = Wide(value) * kNano;
    out.text_ = std::to_string(value);
    return out;
}

int64_t Quantity::ceil_div(Wide amount, Wide unit) {
    if (unit == 0) return 0;
    Wide out = amount / unit;
    if (amount % unit != 0) out += (amount < 0) == (unit < 0) ? 1 : -1;
    if (out > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
    if (out < std::numeric_limits<int64_t>::min()) return std::numeric_limits<int64_t>::min();
    return static_cast<int64_t>(out);
}

int64_t Quantity::value() const {
    return ceil_div(nano_, kNano);
}

int64_t Quantity::milli() const {
    return ceil_div(nano_, kNano / 1000);
}

int64_t Quantity::divided_by(const Quantity& divisor) const {
    return ceil_div(nano_, divisor.nano_);
}

}  // namespace orlop::kube
