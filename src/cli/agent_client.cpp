#include "cli/agent_client.h"

#include "cli/http_get.h"
#include "cli/json_get.h"

namespace orlop::cli {

namespace {

using Json = nlohmann::json;

NodeCondition condition_of(const Json& from, const std::string& type) {
    return {type, json_bool(from, "/ready"), json_string(from, "/reason"), json_string(from, "/message")};
}

}  // namespace

Result<AgentStatus> parse_agent_status(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return Error::invalid("the agent's status is no JSON object");
    AgentStatus out;
    out.node = json_string(json, "/nodeName");
    out.version = json_string(json, "/version");
    out.conditions = {condition_of(json_at(json, "/runtime"), "runtime"),
                      condition_of(json_at(json, "/network"), "network")};
    for (const Json& error : json_list(json, "/manifestErrors"))
        out.manifest_errors.push_back({json_string(error, "/file"), json_string(error, "/message")});
    for (const Json& warning : json_list(json, "/warnings"))
        if (warning.is_string()) out.warnings.push_back(warning.get<std::string>());
    return out;
}

Result<AgentStatus> agent_status(const std::string& socket_path, Nanos timeout) {
    return parse_agent_status(TRY(http_get(socket_path, "/status", timeout)));
}

Result<std::vector<PodRow>> agent_pods(const std::string& socket_path, Nanos timeout) {
    return rows_of_pod_list(TRY(http_get(socket_path, "/pods", timeout)));
}

}  // namespace orlop::cli
