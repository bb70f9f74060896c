#include "cli/mounts.h"

#include <algorithm>

#include "base/dir.h"

namespace orlop::cli {

namespace {

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

// proc(5): blank, tab, newline and backslash are written as \ooo.
std::string unescape(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
            is_octal(text[i + 3])) {
            out +=
                static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

// The fifth field.
std::string_view mount_point_of(std::string_view line) {
    for (int field = 1; field < 5; ++field) {
        const size_t blank = line.find(' ');
        if (blank == std::string_view::npos) return {};
        line.remove_prefix(blank + 1);
    }
    return line.substr(0, line.find(' '));
}

}  // namespace

std::vector<std::string> mounts_below(std::string_view mountinfo, const std::vector<std::string>& dirs) {
    std::vector<std::string> out;
    while (!mountinfo.empty()) {
        const size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
        const std::string point = unescape(mount_point_of(mountinfo.substr(0, end)));
        mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
        const bool below = std::any_of(dirs.begin(), dirs.end(), [&point](const std::string& dir) {
            return point == dir || point.starts_with(dir + "/");
        });
        if (below) out.push_back(point);
    }
    std::reverse(out.begin(), out.end());
    return out;
}

Result<std::vector<std::string>> current_mounts_below(const std::vector<std::string>& dirs) {
    return mounts_below(TRY(read_file("/proc/self/mountinfo")), dirs);
}

}  // namespace orlop::cli
