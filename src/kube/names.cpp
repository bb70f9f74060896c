#include "kube/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

namespace orlop::kube {

namespace {

bool lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Splits at `separator` and asks of every part.
template <class F>
bool every_part(std::string_view text, char separator, F ask) {
    for (;;) {
        const size_t end = text.find(separator);
        if (!ask(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

bool is_dns_label(std::string_view text) {
    if (text.empty() || text.size() > 63) return false;
    if (!lower_or_digit(text.front()) || !lower_or_digit(text.back())) return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return lower_or_digit(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
    if (text.size() > 253) return false;
    return every_part(text, '.', [](std::string_view part) {
        return !part.empty() && lower_or_digit(part.front()) && lower_or_digit(part.back()) &&
               std::all_of(part.begin(), part.end(), [](char c) { return lower_or_digit(c) || c == '-'; });
    });
}

bool is_env_name(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

bool is_ip(std::string_view text) {
    const std::string copy(text);
    std::array<unsigned char, sizeof(in6_addr)> buffer{};
    return inet_pton(AF_INET, copy.c_str(), buffer.data()) == 1 ||
           inet_pton(AF_INET6, copy.c_str(), buffer.data()) == 1;
}

bool is_sysctl(std::string_view text) {
    if (text.empty() || text.size() > 253) return false;
    const char separator =
        text.find_first_of("./") != std::string_view::npos ? text[text.find_first_of("./")] : '.';
    return every_part(text, separator, [](std::string_view part) {
        return !part.empty() && part != ".." && std::all_of(part.begin(), part.end(), [](char c) {
            return lower_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '/';
        });
    });
}

bool has_backsteps(std::string_view path) {
    return !every_part(path, '/', [](std::string_view part) { return part != ".."; });
}

}  // namespace orlop::kube
