// What plugins answer: success results and errors (CNI SPEC 1.1.0 section 5). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "netns/cni_json.h"

namespace orlop::netns {

// An ADD's stdout. A result that names no version has the network's; versions without a rank are refused.
Result<Json> parse_result(std::string_view text, const std::string& network_version);

// The result as `version` writes it: ips[].version ("4" or "6") was required below 1.0.0 and is unknown
// since.
Json convert_result(Json result, const std::string& version);

// The addresses of the pod's interface without prefix length, in the result's order. An address that names no
// interface belongs to the one that was asked for. None at all is an error: a pod has an address.
Result<std::vector<std::string>> result_ips(const Json& result, const std::string& ifname);

// The error that a plugin reported.
struct PluginError {
    int64_t code = 0;  // 0: it did not answer in the protocol
    std::string text;  // "code 7: msg: details", or what it wrote and how it ended
};
PluginError parse_plugin_error(std::string_view out, std::string_view err, int wait_status);

// 3: "container unknown", no cleanup is needed; 11: try again later; 50, 51: the plugin is not available.
inline constexpr int64_t kCodeUnknownContainer = 3;
Kind kind_of_code(int64_t code);

}  // namespace orlop::netns
