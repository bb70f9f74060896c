#include "netns/cni_result.h"

#include <arpa/inet.h>
#include <sys/wait.h>

#include <algorithm>

#include "netns/cni_names.h"

namespace orlop::netns {

namespace {

constexpr size_t kLongestText = 1024;

// One line that is safe in a log and a gRPC status: the end of long output says more than its beginning.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        if (!control) {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    while (line.ends_with(' ')) line.pop_back();
    if (line.size() > kLongestText) line = "..." + line.substr(line.size() - kLongestText);
    return line;
}

std::string how_it_ended(int wait_status) {
    if (WIFSIGNALED(wait_status)) return "killed by signal " + std::to_string(WTERMSIG(wait_status));
    return "exit code " + std::to_string(WEXITSTATUS(wait_status));
}

Result<std::string> bare_address(const Json& entry) {
    const std::string cidr = string_member(entry, "address");
    std::string address = cidr.substr(0, cidr.find('/'));
    in6_addr raw{};
    const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (inet_pton(family, address.c_str(), &raw) != 1)
        return Error::failed("the result has \"" + one_line(cidr) + "\" as an IP address");
    return address;
}

// Does this entry of "ips" belong to the pod's interface?
Result<bool> is_for(const Json& entry, const Json& interfaces, const std::string& ifname) {
    const auto index = entry.find("interface");
    if (index == entry.end() || index->is_null()) return true;
    if (!index->is_number_unsigned() || !interfaces.is_array() || index->get<uint64_t>() >= interfaces.size())
        return Error::failed("the result has an IP address for an interface that it does not list");
    const Json& interface = interfaces[index->get<size_t>()];
    return interface.is_object() && string_member(interface, "name") == ifname &&
           !string_member(interface, "sandbox").empty();
}

}  // namespace

Result<Json> parse_result(std::string_view text, const std::string& network_version) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return Error::failed("it answered no result");
    auto result = parse_json_object(text);
    if (!result) return Error::failed("its result is " + result.error().what());
    const auto version = result->find("cniVersion");
    if (version == result->end() || *version == "") {
        (*result)["cniVersion"] = network_version;
    } else if (!version->is_string() || !cni_version_rank(version->get<std::string>())) {
        return Error::failed("its result has the unsupported cniVersion " + one_line(to_text(*version)));
    }
    return result;
}

Json convert_result(Json result, const std::string& version) {
    result["cniVersion"] = version;
    const auto ips = result.find("ips");
    if (ips == result.end() || !ips->is_array()) return result;
    for (Json& entry : *ips) {
        if (!entry.is_object()) continue;
        if (cni_version_at_least(version, "1.0.0")) {
            entry.erase("version");
        } else {
            entry["version"] = string_member(entry, "address").find(':') == std::string::npos ? "4" : "6";
        }
    }
    return result;
}

Result<std::vector<std::string>> result_ips(const Json& result, const std::string& ifname) {
    std::vector<std::string> found;
    const Json ips = result.value("ips", Json());
    const Json interfaces = result.value("interfaces", Json());
    if (!ips.is_array() && !ips.is_null()) return Error::failed("the result's \"ips\" is not a list");
    for (const Json& entry : ips) {
        if (!entry.is_object()) return Error::failed("the result's \"ips\" is not a list of objects");
        if (TRY(is_for(entry, interfaces, ifname))) found.push_back(TRY(bare_address(entry)));
    }
    if (found.empty()) return Error::failed("the result has no IP address for " + ifname);
    return found;
}

PluginError parse_plugin_error(std::string_view out, std::string_view err, int wait_status) {
    // The spec says stderr, plugins and libcni have always used stdout.
    for (const std::string_view text : {out, err}) {
        const auto json = parse_json_object(text);
        if (!json || (!json->contains("code") && !json->contains("msg"))) continue;
        PluginError error;
        if (const auto code = json->find("code"); code != json->end() && code->is_number_integer())
            error.code = code->get<int64_t>();
        error.text = "code " + std::to_string(error.code);
        for (const char* key : {"msg", "details"}) {
            if (const std::string part = one_line(string_member(*json, key)); !part.empty())
                error.text += ": " + part;
        }
        return error;
    }
    PluginError error{0, how_it_ended(wait_status)};
    const std::string said = one_line(std::string(out) + "\n" + std::string(err));
    error.text += said.empty() ? " without a message" : ": " + said;
    return error;
}

Kind kind_of_code(int64_t code) {
    return code == 11 || code == 50 || code == 51 ? Kind::Unavailable : Kind::Failed;
}

}  // namespace orlop::netns
