#include "cli/node_view.h"

#include "cli/cri_client.h"
#include "cli/cri_rows.h"
#include "cli/json_get.h"
#include "cli/table.h"

namespace orlop::cli {

namespace {

constexpr Nanos kAnswer = std::chrono::seconds(5);
constexpr Nanos kConnect = std::chrono::milliseconds(300);

std::string condition_text(const NodeCondition& c) {
    if (c.ok) return c.type + " ready";
    std::string why = c.reason;
    if (!c.message.empty()) why += (why.empty() ? "" : ": ") + c.message;
    return c.type + " NOT ready" + (why.empty() ? "" : " (" + why + ")");
}

std::string versions_text(const NodeView& view) {
    std::string out = "Versions: CLI " ORLOP_VERSION;
    if (!view.runtime_version.empty()) out += ", runtime " + view.runtime_version;
    if (view.agent && !view.agent->version.empty()) out += ", agent " + view.agent->version;
    return out;
}

// RuntimeReady -> runtime, as the agent calls it.
std::string condition_name(const std::string& type) {
    if (type == "RuntimeReady") return "runtime";
    return type == "NetworkReady" ? "network" : type;
}

Status look_at_runtime(const Common& common, NodeView& view) {
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), kConnect));
    using Stub = cri::RuntimeService::Stub;
    const auto version = TRY(call(client.runtime(), &Stub::Version, cri::VersionRequest()));
    view.runtime_version = version.runtime_name() + " " + version.runtime_version();
    if (view.agent) return ok();
    const auto status = TRY(call(client.runtime(), &Stub::Status, cri::StatusRequest()));
    for (const auto& c : status.status().conditions())
        view.conditions.push_back({condition_name(c.type()), c.status(), c.reason(), c.message()});
    std::vector<cri::PodSandboxStatusRequest> requests;
    for (const cri::PodSandbox& sandbox : TRY(client.sandboxes()))
        requests.emplace_back().set_pod_sandbox_id(sandbox.id());
    std::vector<cri::PodSandboxStatusResponse> answers;
    // One that fails has been removed since it was listed.
    for (auto& answer : call_all(client.runtime(), &Stub::AsyncPodSandboxStatus, requests, kAnswer))
        if (answer) answers.push_back(std::move(*answer));
    view.pods = rows_of_sandboxes(answers);
    return ok();
}

}  // namespace

Result<NodeView> look_at_node(const Common& common) {
    const NodePaths paths = common.paths();
    NodeView view;
    view.name = paths.name;
    const bool own_runtime = common.runtime_endpoint() == "unix://" + paths.runtime_socket;
    auto agent =
        own_runtime
            ? agent_status(paths.agent_socket, kAnswer)
            : Result<AgentStatus>(Error::unavailable("another runtime than the node's was asked for"));
    if (agent) {
        view.pods = TRY(agent_pods(paths.agent_socket, kAnswer).under("agent"));
        view.conditions = agent->conditions;
        if (!agent->node.empty()) view.name = agent->node;
        view.agent = std::move(*agent);
    }
    if (const Status runtime = look_at_runtime(common, view); !runtime) {
        if (!view.agent) return runtime.error();
        view.notes.push_back("the runtime does not answer: " + runtime.error().what());
    }
    if (!view.agent)
        view.notes.push_back("no agent answers, this is what the runtime alone knows (" +
                             agent.error().what() + ")");
    return view;
}

std::string node_text(const NodeView& view, Nanos now) {
    std::string out = "Node " + printable(view.name) + ":";
    for (size_t i = 0; i < view.conditions.size(); ++i)
        out += (i == 0 ? " " : ", ") + printable(condition_text(view.conditions[i]));
    out += "\n" + versions_text(view) + "\n";
    for (const std::string& note : view.notes) out += "Note: " + printable(note) + "\n";
    if (view.agent)
        for (const std::string& warning : view.agent->warnings)
            out += "Warning: " + printable(warning) + "\n";
    out += "\n" + (view.pods.empty() ? "No pods.\n" : pods_table(view.pods, now));
    if (view.agent && !view.agent->manifest_errors.empty()) {
        out += "\nManifests with errors:\n";
        for (const ManifestError& e : view.agent->manifest_errors)
            out += "  " + printable(e.file) + ": " + printable(e.message) + "\n";
    }
    return out;
}

std::string node_json(const NodeView& view, Nanos now) {
    using Json = nlohmann::json;
    Json out = {{"node", view.name},
                {"agent", view.agent.has_value()},
                {"versions", {{"cli", ORLOP_VERSION}, {"runtime", view.runtime_version}}},
                {"conditions", Json::array()},
                {"pods", pods_json(view.pods, now)},
                {"manifestErrors", Json::array()},
                {"warnings", Json::array()},
                {"notes", view.notes}};
    for (const NodeCondition& c : view.conditions)
        out["conditions"].push_back(
            {{"type", c.type}, {"status", c.ok}, {"reason", c.reason}, {"message", c.message}});
    if (view.agent) {
        out["versions"]["agent"] = view.agent->version;
        out["warnings"] = view.agent->warnings;
        for (const ManifestError& e : view.agent->manifest_errors)
            out["manifestErrors"].push_back({{"file", e.file}, {"message", e.message}});
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace orlop::cli
