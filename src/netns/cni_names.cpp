#include "netns/cni_names.h"

#include <algorithm>
#include <array>
#include <string>

namespace orlop::netns {

namespace {

constexpr size_t kLongestName = 100;
constexpr size_t kLongestIfname = 15;  // IFNAMSIZ without its end
constexpr std::array<std::string_view, 5> kVersions = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};

// Not isalnum: that depends on the locale.
bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control_or_space(char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
}

Error refuse(const char* what, std::string_view text, const char* why) {
    std::string shown(text.substr(0, kLongestName));
    std::replace_if(shown.begin(), shown.end(), is_control_or_space, '?');
    return Error::invalid(std::string(what) + " \"" + shown + "\" " + why);
}

Status check_name(const char* what, std::string_view text) {
    if (text.empty()) return Error::invalid(std::string(what) + " is empty");
    if (text.size() > kLongestName) return refuse(what, text, "is longer than 100 characters");
    const bool fine = is_alnum(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
                          return is_alnum(c) || c == '_' || c == '.' || c == '-';
                      });
    if (!fine)
        return refuse(what, text, "may only have letters, digits, _ . - and begin with a letter or digit");
    return ok();
}

}  // namespace

Status check_container_id(std::string_view id) {
    return check_name("container id", id);
}

Status check_network_name(std::string_view name) {
    return check_name("network name", name);
}

Status check_ifname(std::string_view name) {
    const bool bad_character = std::any_of(
        name.begin(), name.end(), [](char c) { return c == '/' || c == ':' || is_control_or_space(c); });
    if (name.empty() || name.size() > kLongestIfname || name == "." || name == ".." || bad_character)
        return refuse("interface name", name,
                      "is not one that the kernel takes (1 to 15 characters, no / : or space)");
    return ok();
}

Status check_plugin_type(std::string_view type) {
    const bool bad_character = std::any_of(type.begin(), type.end(), [](char c) {
        return c == '/' || c == '\\' || (is_control_or_space(c) && c != ' ');
    });
    if (type.empty() || type == "." || type == ".." || bad_character)
        return refuse("plugin type", type, "is not a file name");
    return ok();
}

std::optional<int> cni_version_rank(std::string_view version) {
    const auto at = std::find(kVersions.begin(), kVersions.end(), version);
    if (at == kVersions.end()) return std::nullopt;
    return static_cast<int>(at - kVersions.begin());
}

bool cni_version_at_least(std::string_view version, std::string_view least) {
    return cni_version_rank(version) >= cni_version_rank(least);
}

}  // namespace orlop::netns
