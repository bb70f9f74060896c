#include "runtime/streaming/protocols.h"

#include <algorithm>
#include <charconv>

namespace orlop::streaming {

const std::vector<CommandProtocol> kSpdyCommands = {
    {"v4.channel.k8s.io", CommandVersion::V4},
    {"v3.channel.k8s.io", CommandVersion::V3},
    {"v2.channel.k8s.io", CommandVersion::V2},
    {"channel.k8s.io", CommandVersion::V1},
};

// Before v4 WebSockets had resizing, but no Status.
const std::vector<CommandProtocol> kWebSocketCommands = {
    {"v5.channel.k8s.io", CommandVersion::V5},
    {"v4.channel.k8s.io", CommandVersion::V4},
    {"v4.base64.channel.k8s.io", CommandVersion::V4, true},
    {"channel.k8s.io", CommandVersion::V3},
    {"base64.channel.k8s.io", CommandVersion::V3, true},
    {"", CommandVersion::V3},
};

const std::vector<CommandProtocol> kSpdyForwards = {{"portforward.k8s.io", CommandVersion::V4}};

const std::vector<ForwardProtocol> kWebSocketForwards = {
    {"SPDY/3.1+portforward.k8s.io", false, true},
    {"v4.channel.k8s.io"},
    {"v4.base64.channel.k8s.io", true},
    {""},
};

std::vector<std::string> split_names(const std::vector<std::string>& values) {
    std::vector<std::string> names;
    for (std::string_view rest : values) {
        while (!rest.empty()) {
            std::string_view name = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(name.size() + 1, rest.size()));
            while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
            while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
            if (!name.empty()) names.emplace_back(name);
        }
    }
    return names;
}

std::optional<uint16_t> parse_port(std::string_view text) {
    uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return {};
    return port;
}

std::vector<uint16_t> query_ports(std::string_view query) {
    constexpr std::string_view kKey = "port=";
    std::vector<uint16_t> ports;
    while (!query.empty()) {
        std::string_view field = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(field.size() + 1, query.size()));
        if (!field.starts_with(kKey)) continue;
        field.remove_prefix(kKey.size());
        do {
            // A comma may be escaped.
            const size_t end =
                std::min({field.find(','), field.find("%2C"), field.find("%2c"), field.size()});
            const auto port = parse_port(field.substr(0, end));
            if (!port) return {};
            ports.push_back(*port);
            const size_t comma = end == field.size() ? 0 : field[end] == ',' ? 1 : 3;
            field.remove_prefix(end + comma);
        } while (!field.empty());
    }
    return ports;
}

}  // namespace orlop::streaming
