#include <cstdio>

#include "base/weak.h"
#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string printable(std::string_view text) {
    constexpr size_t kLongest = 128;
    std::string out;
    for (const char c : text.substr(0, kLongest)) {
        if (!is_control(c) && static_cast<unsigned char>(c) < 0x80) {
            out += c;
            continue;
        }
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\x%02x",
                      static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += escaped;
    }
    return text.size() > kLongest ? out + "..." : out;
}

Status check_no_nul(std::string_view field, std::string_view text) {
    if (text.find('\0') == std::string_view::npos) return ok();
    return Error::invalid(std::string(field) + ": a NUL character in \"" + printable(text) + "\"");
}

Status check_plain(std::string_view field, std::string_view text) {
    if (weakened("control-characters")) return ok();
    for (const char c : text) {
        if (is_control(c)) {
            return Error::invalid(std::string(field) + ": a control character in \"" + printable(text) +
                                  "\"");
        }
    }
    return ok();
}

Result<std::string> clean_path(std::string_view field, std::string_view path) {
    TRY(check_plain(field, path));
    if (path.empty() || path.front() != '/') {
        return Error::invalid(std::string(field) + ": \"" + printable(path) + "\" is not an absolute path");
    }
    std::string clean;
    for (size_t at = 0; at < path.size();) {
        const size_t end = std::min(path.find('/', at + 1), path.size());
        const std::string_view name = path.substr(at + 1, end - at - 1);
        if (name == "..") {
            clean.resize(clean.empty() ? 0 : clean.rfind('/'));
        } else if (!name.empty() && name != ".") {
            clean.append("/").append(name);
        }
        at = end;
    }
    return clean.empty() ? "/" : clean;
}

std::string element(std::string_view list, int index, std::string_view field) {
    std::string out = std::string(list) + "[" + std::to_string(index) + "]";
    if (!field.empty()) out.append(".").append(field);
    return out;
}

}  // namespace orlop::plan
