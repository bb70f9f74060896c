#include "cli/manifests.h"

#include <algorithm>

#include "base/dir.h"
#include "cli/json_get.h"
#include "kube/document.h"

namespace orlop::cli {

namespace {

void add_pod(std::vector<WantedPod>& out, const std::string& file, const nlohmann::json& document) {
    if (json_string(document, "/kind") == "PodList" || json_string(document, "/kind") == "List") {
        for (const auto& item : json_list(document, "/items")) add_pod(out, file, item);
        return;
    }
    const std::string name = json_string(document, "/metadata/name");
    if (json_string(document, "/kind") != "Pod" || name.empty()) return;
    const std::string ns = json_string(document, "/metadata/namespace");
    out.push_back({file, ns.empty() ? "default" : ns, name});
}

}  // namespace

std::vector<WantedPod> wanted_pods(const std::string& file, const std::string& text) {
    std::vector<WantedPod> out;
    const auto documents = kube::parse_documents(text);
    if (!documents) return out;
    for (const auto& document : *documents)
        if (document.is_object()) add_pod(out, file, document);
    return out;
}

Result<std::vector<WantedPod>> wanted_pods_in(const std::string& folder) {
    std::vector<WantedPod> out;
    const auto dir = Dir::open(folder);
    if (!dir && dir.error().kind() == Kind::NotFound) return out;
    if (!dir) return dir.error();
    for (const std::string& name : TRY(dir->list())) {
        if (name.starts_with(".")) continue;
        const auto text = dir->read(name);
        if (!text) continue;  // a directory, or removed since it was listed
        for (WantedPod& pod : wanted_pods(name, *text)) out.push_back(std::move(pod));
    }
    return out;
}

std::vector<WantedPod> not_seen(const std::vector<WantedPod>& wanted, const std::vector<PodRow>& rows,
                                const AgentStatus& agent) {
    std::vector<WantedPod> out;
    for (const WantedPod& pod : wanted) {
        const bool seen = std::any_of(rows.begin(), rows.end(), [&](const PodRow& row) {
            return row.ns == pod.ns && (row.name == pod.name || row.name == pod.name + "-" + agent.node);
        });
        const bool refused = std::any_of(agent.manifest_errors.begin(), agent.manifest_errors.end(),
                                         [&pod](const ManifestError& e) {
                                             return e.file == pod.file || e.file.ends_with("/" + pod.file);
                                         });
        if (!seen && !refused) out.push_back(pod);
    }
    return out;
}

}  // namespace orlop::cli
