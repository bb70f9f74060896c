// Which protocol a client and this server speak after the upgrade.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orlop::streaming {

// Remote command over SPDY, header X-Stream-Protocol-Version.
enum class CommandVersion { V1, V2, V3, V4, V5 };
inline bool has_resize(CommandVersion version) {
    return version >= CommandVersion::V3;
}
inline bool has_status_json(CommandVersion version) {
    return version >= CommandVersion::V4;
}

struct CommandProtocol {
    std::string_view name;
    CommandVersion version;
    bool base64 = false;  // WebSocket only
};
extern const std::vector<CommandProtocol> kSpdyCommands;
// The nameless one is for clients that ask for none.
extern const std::vector<CommandProtocol> kWebSocketCommands;

struct ForwardProtocol {
    std::string_view name;
    bool base64 = false, tunnel = false;
};
extern const std::vector<CommandProtocol> kSpdyForwards;
extern const std::vector<ForwardProtocol> kWebSocketForwards;

// The names in a header's values, which may hold several each, in the client's order of preference.
std::vector<std::string> split_names(const std::vector<std::string>& values);

// The first of the client's names that the server has too.
template <class Protocol>
const Protocol* choose(const std::vector<Protocol>& ours, const std::vector<std::string>& names) {
    for (const std::string& name : names)
        for (const Protocol& protocol : ours)
            if (protocol.name == name) return &protocol;
    return nullptr;
}

// The ports of a WebSocket port-forward: ?port=80&port=443 or ?port=80,443. Empty if one of them is none.
std::vector<uint16_t> query_ports(std::string_view query);
std::optional<uint16_t> parse_port(std::string_view text);

}  // namespace orlop::streaming
