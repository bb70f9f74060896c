// What CNI SPEC 1.1.0 allows as ids, names and versions. Checked before they become parts of paths,
// environment variables or plugin names.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"

namespace orlop::netns {

inline constexpr std::string_view kNewestCniVersion = "1.1.0";

// Letters, digits, "_", "." and "-", beginning with a letter or digit; at most 100, for the cache's file
// names.
Status check_container_id(std::string_view id);
Status check_network_name(std::string_view name);
// As the kernel's dev_valid_name: 1..15 bytes, not "." or "..", no "/", ":" or white space.
Status check_ifname(std::string_view name);
// The file name of a plugin: not empty, no "/", "\" or control character, not "." or "..".
Status check_plugin_type(std::string_view type);

// The version's place among those that have plugin lists (0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0), none for
// others.
std::optional<int> cni_version_rank(std::string_view version);
// Both must have a rank.
bool cni_version_at_least(std::string_view version, std::string_view least);

}  // namespace orlop::netns
