#include <charconv>

#include "cgroups/stats.h"

namespace orlop::cgroups {

namespace {

std::optional<uint64_t> number(std::string_view text) {
    if (text == "max") return UINT64_MAX;
    uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

// Calls `each` with the parts between separators; empty ones are left out.
template <class Each>
void for_parts(std::string_view text, char separator, const Each& each) {
    while (!text.empty()) {
        const size_t end = std::min(text.find(separator), text.size());
        if (end > 0) each(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    for_parts(line, ' ', [&](std::string_view word) { out.push_back(word); });
    return out;
}

bool device(std::string_view word, IoEntry& into) {
    const size_t colon = word.find(':');
    if (colon == std::string_view::npos) return false;
    const auto major = number(word.substr(0, colon));
    const auto minor = number(word.substr(colon + 1));
    if (!major || !minor) return false;
    into.major = *major;
    into.minor = *minor;
    return true;
}

// "key=value", split; an empty key when it is not.
std::pair<std::string_view, std::string_view> assignment(std::string_view word) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) return {};
    return {word.substr(0, equals), word.substr(equals + 1)};
}

struct IoKey {
    std::string_view key, op;
    bool bytes;
};
constexpr IoKey kIoKeys[] = {{"rbytes", "Read", true}, {"wbytes", "Write", true}, {"dbytes", "Discard", true},
                             {"rios", "Read", false},  {"wios", "Write", false},  {"dios", "Discard", false}};

}  // namespace

Counters parse_counters(std::string_view text) {
    Counters out;
    for_parts(text, '\n', [&](std::string_view line) {
        const size_t space = line.find(' ');
        if (space == 0 || space == std::string_view::npos) return;
        if (const auto n = number(line.substr(space + 1))) out.emplace(line.substr(0, space), *n);
    });
    return out;
}

std::vector<IoEntry> parse_blkio(std::string_view text) {
    std::vector<IoEntry> out;
    for_parts(text, '\n', [&](std::string_view line) {
        const auto parts = words(line);
        IoEntry entry;
        if (parts.size() != 3 || !device(parts[0], entry)) return;
        const auto n = number(parts[2]);
        if (!n) return;
        entry.op = parts[1];
        entry.value = *n;
        out.push_back(std::move(entry));
    });
    return out;
}

IoStats parse_io_stat(std::string_view text) {
    IoStats out;
    for_parts(text, '\n', [&](std::string_view line) {
        const auto parts = words(line);
        IoEntry entry;
        if (parts.empty() || !device(parts[0], entry)) return;
        for (const std::string_view part : parts) {
            const auto [key, value] = assignment(part);
            const auto n = number(value);
            for (const IoKey& known : kIoKeys) {
                if (known.key != key || !n) continue;
                entry.op = known.op;
                entry.value = *n;
                (known.bytes ? out.bytes : out.operations).push_back(entry);
            }
        }
    });
    return out;
}

std::map<std::string, RdmaUse> parse_rdma(std::string_view text) {
    std::map<std::string, RdmaUse> out;
    for_parts(text, '\n', [&](std::string_view line) {
        const auto parts = words(line);
        if (parts.size() < 2) return;
        RdmaUse use;
        for (const std::string_view part : parts) {
            const auto [key, value] = assignment(part);
            const auto n = number(value);
            if (n && key == "hca_handle") use.handles = *n;
            if (n && key == "hca_object") use.objects = *n;
        }
        out.emplace(parts[0], use);
    });
    return out;
}

PressureStats parse_pressure(std::string_view text) {
    PressureStats out;
    for_parts(text, '\n', [&](std::string_view line) {
        const auto parts = words(line);
        if (parts.empty() || (parts[0] != "some" && parts[0] != "full")) return;
        Pressure& into = parts[0] == "some" ? out.some : out.full;
        const std::pair<std::string_view, double*> averages[] = {
            {"avg10", &into.avg10}, {"avg60", &into.avg60}, {"avg300", &into.avg300}};
        for (const std::string_view part : parts) {
            const auto [key, value] = assignment(part);
            for (const auto& [name, average] : averages) {
                double parsed = 0;
                const auto done = std::from_chars(value.data(), value.data() + value.size(), parsed,
                                                  std::chars_format::fixed);
                if (key == name && done.ec == std::errc()) *average = parsed;
            }
            if (const auto n = number(value); n && key == "total") into.total_us = *n;
        }
    });
    return out;
}

std::vector<uint64_t> parse_numbers(std::string_view text) {
    std::vector<uint64_t> out;
    for_parts(text, '\n', [&](std::string_view line) {
        for (const std::string_view word : words(line)) {
            if (const auto n = number(word)) out.push_back(*n);
        }
    });
    return out;
}

}  // namespace orlop::cgroups
