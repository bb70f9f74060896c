#include "cli/table.h"

#include <algorithm>
#include <array>

namespace orlop::cli {

namespace {

// Code points, which is what a terminal counts for the names that appear here.
size_t width_of(std::string_view text) {
    return static_cast<size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string with_unit(int64_t value, char unit) {
    return std::to_string(value) + unit;
}

std::string two_units(int64_t big, char big_unit, int64_t small, char small_unit) {
    return with_unit(big, big_unit) + (small == 0 ? "" : with_unit(small, small_unit));
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        const auto u = static_cast<unsigned char>(c);
        if (u < 0x20 || u == 0x7F) c = c == '\n' || c == '\t' ? ' ' : '?';
    }
    return out;
}

std::string render_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    }
    std::string out;
    for (const auto& row : rows) {
        for (size_t i = 0; i < row.size(); ++i) {
            out += printable(row[i]);
            if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]) + 3, ' ');
        }
        out += '\n';
    }
    return out;
}

std::string human_age(Nanos age) {
    const int64_t s = std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
    const int64_t m = s / 60;
    const int64_t h = m / 60;
    const int64_t d = h / 24;
    if (s < 120) return with_unit(s, 's');
    if (m < 10) return two_units(m, 'm', s % 60, 's');
    if (h < 3) return with_unit(m, 'm');
    if (h < 8) return two_units(h, 'h', m % 60, 'm');
    if (d < 2) return with_unit(h, 'h');
    if (d < 8) return two_units(d, 'd', h % 24, 'h');
    if (d < 730) return with_unit(d, 'd');
    if (d < 8 * 365) return two_units(d / 365, 'y', d % 365, 'd');
    return with_unit(d / 365, 'y');
}

std::string human_bytes(uint64_t bytes) {
    static constexpr std::array<const char*, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
    uint64_t tenths = bytes;
    size_t unit = 0;
    if (bytes < 1000) return std::to_string(bytes) + "B";
    for (tenths = bytes / 100, unit = 1; tenths >= 9995 && unit + 1 < kUnits.size(); ++unit)
        tenths = (tenths + 500) / 1000;
    if (tenths >= 100) return std::to_string((tenths + 5) / 10) + kUnits[unit];
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + kUnits[unit];
}

std::string bar(uint64_t done, uint64_t total, size_t width) {
    const double part =
        total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto full = static_cast<size_t>(part * static_cast<double>(width));
    return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

std::string short_id(std::string_view id) {
    if (const size_t colon = id.find(':'); colon != std::string_view::npos) id.remove_prefix(colon + 1);
    return std::string(id.substr(0, 12));
}

}  // namespace orlop::cli
