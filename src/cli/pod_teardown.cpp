#include "cli/pod_teardown.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "cli/json_get.h"

namespace orlop::cli {

namespace {

using Stub = cri::RuntimeService::Stub;

constexpr int64_t kGrace = 10;           // of containers that say nothing, in seconds
constexpr int64_t kLongestGrace = 3600;  // a broken annotation does not stop `down` for days
constexpr Nanos kTearDown = std::chrono::minutes(2);

std::string netns_of(const cri::PodSandboxStatusResponse& sandbox) {
    const auto info = sandbox.info().find("info");
    if (info == sandbox.info().end()) return "";
    return json_string(nlohmann::json::parse(info->second, nullptr, false), "/sandboxMetadata/netns");
}

template <class Response>
void collect(Teardown& into, const char* what, const std::vector<Result<Response>>& results,
             const std::vector<std::string>& names) {
    for (size_t i = 0; i < results.size(); ++i)
        if (!results[i])
            into.errors.push_back(std::string(what) + " " + names[i] + ": " + results[i].error().what());
}

void stop_containers(const CriClient& client, const std::vector<cri::Container>& containers, Teardown& into) {
    std::vector<cri::StopContainerRequest> requests;
    std::vector<std::string> names;
    int64_t longest = 0;
    for (const cri::Container& container : containers) {
        if (container.state() != cri::CONTAINER_RUNNING) continue;
        const int64_t grace = grace_of(container, kGrace);
        longest = std::max(longest, grace);
        auto& request = requests.emplace_back();
        request.set_container_id(container.id());
        request.set_timeout(grace);
        names.push_back(container.metadata().name());
    }
    collect(into, "stop container",
            call_all(client.runtime(), &Stub::AsyncStopContainer, requests,
                     kTearDown + std::chrono::seconds(longest)),
            names);
}

void note_netns(const CriClient& client, const std::vector<cri::PodSandbox>& sandboxes, Teardown& into) {
    std::vector<cri::PodSandboxStatusRequest> requests;
    for (const cri::PodSandbox& sandbox : sandboxes) {
        auto& request = requests.emplace_back();
        request.set_pod_sandbox_id(sandbox.id());
        request.set_verbose(true);
    }
    for (const auto& answer : call_all(client.runtime(), &Stub::AsyncPodSandboxStatus, requests, kTearDown))
        if (answer && !netns_of(*answer).empty()) into.netns.push_back(netns_of(*answer));
}

}  // namespace

int64_t grace_of(const cri::Container& container, int64_t otherwise) {
    for (const char* key :
         {"io.kubernetes.pod.deletionGracePeriod", "io.kubernetes.pod.terminationGracePeriod"}) {
        const auto at = container.annotations().find(key);
        if (at == container.annotations().end()) continue;
        int64_t value = 0;
        const std::string& text = at->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size() && value >= 0)
            return std::min(value, kLongestGrace);
    }
    return otherwise;
}

Result<Teardown> end_all_pods(const CriClient& client, const std::function<void(const std::string&)>& say) {
    const auto sandboxes = TRY(client.sandboxes());
    Teardown out;
    out.pods = sandboxes.size();
    if (sandboxes.empty()) return out;
    const auto containers = TRY(client.containers());
    say("stopping " + std::to_string(containers.size()) + " containers in " +
        std::to_string(sandboxes.size()) + " pods");
    note_netns(client, sandboxes, out);
    stop_containers(client, containers, out);

    std::vector<cri::StopPodSandboxRequest> stops;
    std::vector<cri::RemovePodSandboxRequest> removals;
    std::vector<std::string> names;
    std::set<std::string> uids;
    for (const cri::PodSandbox& sandbox : sandboxes) {
        stops.emplace_back().set_pod_sandbox_id(sandbox.id());
        removals.emplace_back().set_pod_sandbox_id(sandbox.id());
        names.push_back(sandbox.metadata().namespace_() + "/" + sandbox.metadata().name());
        uids.insert(sandbox.metadata().uid());
    }
    out.uids.assign(uids.begin(), uids.end());
    collect(out, "stop pod", call_all(client.runtime(), &Stub::AsyncStopPodSandbox, stops, kTearDown), names);
    collect(out, "remove pod", call_all(client.runtime(), &Stub::AsyncRemovePodSandbox, removals, kTearDown),
            names);
    return out;
}

}  // namespace orlop::cli
