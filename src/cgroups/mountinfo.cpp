#include "cgroups/mountinfo.h"

namespace orlop::cgroups {

namespace {

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    while (!line.empty()) {
        const size_t end = std::min(line.find(' '), line.size());
        if (end > 0) out.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return out;
}

bool octal(char c) {
    return c >= '0' && c <= '7';
}

// Space, tab, newline and backslash are written as \ooo.
std::string unescape(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
            octal(text[i + 3])) {
            out.push_back(
                static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view text, std::string_view type) {
    std::vector<MountEntry> out;
    const std::string mark = " - " + std::string(type);
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        // A node has thousands of mounts, and a dozen of them are cgroups.
        if (line.find(mark) == std::string_view::npos) continue;
        const auto fields = words(line);
        // id parent major:minor root mount_point options [optional...] - type source super_options
        size_t dash = 6;
        while (dash < fields.size() && fields[dash] != "-") ++dash;
        if (dash + 3 >= fields.size()) continue;
        out.push_back({unescape(fields[3]), unescape(fields[4]), std::string(fields[dash + 1]),
                       std::string(fields[dash + 3])});
    }
    return out;
}

}  // namespace orlop::cgroups
