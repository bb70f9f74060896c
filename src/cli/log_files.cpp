#include "cli/log_files.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "base/dir.h"
#include "cli/cri_client.h"

namespace orlop::cli {

namespace {

constexpr Nanos kConnect = std::chrono::milliseconds(500);

// "3.log" -> 3. Rotated files (3.log.20260102-030405) are not meant.
std::optional<uint32_t> attempt_of(std::string_view file) {
    constexpr std::string_view kEnding = ".log";
    if (!file.ends_with(kEnding)) return std::nullopt;
    file.remove_suffix(kEnding.size());
    uint32_t out = 0;
    const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), out);
    if (error != std::errc() || end != file.data() + file.size()) return std::nullopt;
    return out;
}

void add_from_directory(const Dir& root, const std::string& entry, std::vector<LoggedContainer>& out) {
    const size_t first = entry.find('_');
    const size_t last = entry.rfind('_');
    if (first == std::string::npos || first == last) return;
    const auto pod = root.open_dir(entry);
    if (!pod) return;
    for (const std::string& name : pod->list().value_or({})) {
        const auto dir = pod->open_dir(name);
        if (!dir) continue;
        std::optional<uint32_t> latest;
        for (const std::string& file : dir->list().value_or({}))
            if (const auto attempt = attempt_of(file); attempt && (!latest || *attempt > *latest))
                latest = attempt;
        if (!latest) continue;
        LoggedContainer c;
        c.ns = entry.substr(0, first);
        c.pod = entry.substr(first + 1, last - first - 1);
        c.pod_uid = entry.substr(last + 1);
        c.name = name;
        c.attempt = *latest;
        c.path = root.path() + "/" + entry + "/" + name + "/" + std::to_string(*latest) + ".log";
        struct stat st;
        if (fstat(pod->fd(), &st) == 0) c.created = st.st_mtim.tv_sec;
        out.push_back(std::move(c));
    }
}

std::vector<LoggedContainer> of_pod(const std::vector<LoggedContainer>& all, const std::string& ns,
                                    const std::string& pod) {
    std::vector<LoggedContainer> out;
    std::copy_if(all.begin(), all.end(), std::back_inserter(out),
                 [&](const LoggedContainer& c) { return c.pod == pod && (ns.empty() || c.ns == ns); });
    return out;
}

std::string joined(const std::set<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

// Latest pod of the name, latest attempt of each container in it.
std::map<std::string, LoggedContainer> latest(const std::vector<LoggedContainer>& candidates) {
    const auto newest = std::max_element(candidates.begin(), candidates.end(),
                                         [](const auto& a, const auto& b) { return a.created < b.created; });
    std::map<std::string, LoggedContainer> out;
    for (const LoggedContainer& c : candidates) {
        if (c.pod_uid != newest->pod_uid) continue;
        const auto [at, added] = out.emplace(c.name, c);
        if (!added && at->second.attempt <= c.attempt) at->second = c;
    }
    return out;
}

}  // namespace

Result<std::vector<LoggedContainer>> logged_containers(const std::string& endpoint) {
    const CriClient client = TRY(CriClient::connect(endpoint, kConnect));
    std::map<std::string, cri::PodSandbox> pods;
    for (cri::PodSandbox& sandbox : TRY(client.sandboxes())) pods[sandbox.id()] = std::move(sandbox);
    std::vector<LoggedContainer> out;
    for (const cri::Container& container : TRY(client.containers())) {
        const cri::PodSandbox& pod = pods[container.pod_sandbox_id()];
        LoggedContainer c;
        c.ns = pod.metadata().namespace_();
        c.pod = pod.metadata().name();
        c.pod_uid = pod.metadata().uid();
        c.created = pod.created_at();
        c.name = container.metadata().name();
        c.id = container.id();
        c.attempt = container.metadata().attempt();
        c.running = container.state() == cri::CONTAINER_RUNNING;
        out.push_back(std::move(c));
    }
    return out;
}

Result<std::vector<LoggedContainer>> logged_containers_on_disk(const std::string& root) {
    const Dir dir = TRY(Dir::open(root));
    std::vector<LoggedContainer> out;
    for (const std::string& entry : TRY(dir.list())) add_from_directory(dir, entry, out);
    return out;
}

Result<LoggedContainer> choose_container(const std::vector<LoggedContainer>& all, const LogsOptions& options,
                                         const std::string& node) {
    const size_t slash = options.pod.find('/');
    const std::string ns = slash == std::string::npos ? "" : options.pod.substr(0, slash);
    const std::string pod = slash == std::string::npos ? options.pod : options.pod.substr(slash + 1);
    auto candidates = of_pod(all, ns, pod);
    if (candidates.empty()) candidates = of_pod(all, ns, pod + "-" + node);
    if (candidates.empty())
        return Error::not_found("there is no pod \"" + options.pod + "\" with a container on this node");
    std::set<std::string> namespaces;
    for (const LoggedContainer& c : candidates) namespaces.insert(c.ns);
    if (namespaces.size() > 1) {
        return Error::invalid("the pod \"" + pod + "\" is in several namespaces (" + joined(namespaces) +
                              "): name it as <namespace>/" + pod);
    }
    const auto containers = latest(candidates);
    std::set<std::string> names;
    for (const auto& [name, c] : containers) names.insert(name);
    if (options.container.empty()) {
        if (containers.size() == 1) return containers.begin()->second;
        return Error::invalid("the pod \"" + options.pod + "\" has several containers (" + joined(names) +
                              "): choose one with -c");
    }
    const auto at = containers.find(options.container);
    if (at != containers.end()) return at->second;
    return Error::not_found("the pod \"" + options.pod + "\" has no container \"" + options.container +
                            "\"; it has " + joined(names));
}

Result<std::string> previous_log(const LoggedContainer& container) {
    const Error none = Error::not_found("the container \"" + container.name + "\" of the pod \"" +
                                        container.pod + "\" has no earlier log");
    const size_t slash = container.path.rfind('/');
    if (container.attempt == 0 || slash == std::string::npos) return none;
    const std::string path =
        container.path.substr(0, slash + 1) + std::to_string(container.attempt - 1) + ".log";
    if (access(path.c_str(), F_OK) != 0) return none;
    return path;
}

}  // namespace orlop::cli
