#include "agent/act/observe.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "agent/act/pod_files.h"
#include "agent/decide/labels.h"

namespace orlop::agent {

namespace {

template <class Map>
std::string lookup(const Map& map, const char* key) {
    const auto at = map.find(key);
    return at == map.end() ? std::string() : at->second;
}

template <class Int>
Int number(const std::string& text, Int otherwise) {
    Int out = otherwise;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() ? out : otherwise;
}

RunState state_of(cri::ContainerState state) {
    switch (state) {
        case cri::CONTAINER_CREATED:
            return RunState::Created;
        case cri::CONTAINER_RUNNING:
            return RunState::Running;
        case cri::CONTAINER_EXITED:
            return RunState::Exited;
        default:
            return RunState::Unknown;
    }
}

ObservedContainer from_status(const cri::ContainerStatus& status, const std::string& sandbox_id) {
    ObservedContainer out;
    out.id = status.id();
    out.name = lookup(status.labels(), labels::kContainerName);
    if (out.name.empty()) out.name = status.metadata().name();
    out.sandbox_id = sandbox_id;
    out.restarts = number(lookup(status.annotations(), labels::kRestartCount), status.metadata().attempt());
    out.state = state_of(status.state());
    out.created_at = status.created_at();
    out.started_at = status.started_at();
    out.finished_at = status.finished_at();
    out.exit_code = status.exit_code();
    out.reason = status.reason();
    out.message = status.message();
    out.image = status.image().user_specified_image().empty() ? status.image().image()
                                                              : status.image().user_specified_image();
    out.image_ref = status.image_ref();
    out.hash = lookup(status.annotations(), labels::kHash);
    return out;
}

Result<ObservedSandbox> full_sandbox(const Cri& cri, const cri::PodSandbox& item) {
    ObservedSandbox out;
    out.id = item.id();
    out.attempt = item.metadata().attempt();
    out.ready = item.state() == cri::SANDBOX_READY;
    out.created_at = item.created_at();
    if (!out.ready) return out;
    const cri::PodSandboxStatus status = TRY(cri.sandboxes.status(item.id()));
    out.host_network = status.linux().namespaces().options().network() == cri::NODE;
    if (!status.network().ip().empty()) out.ips.push_back(status.network().ip());
    for (const cri::PodIP& ip : status.network().additional_ips()) out.ips.push_back(ip.ip());
    return out;
}

const ObservedSandbox* find(const ObservedPod& pod, const cri::PodSandbox& item) {
    for (const ObservedSandbox& s : pod.sandboxes) {
        if (s.id == item.id() && s.ready == (item.state() == cri::SANDBOX_READY)) return &s;
    }
    return nullptr;
}

const ObservedContainer* find_ended(const ObservedPod& pod, const std::string& id) {
    for (const ObservedContainer& c : pod.containers) {
        if (c.id == id && c.state == RunState::Exited) return &c;
    }
    return nullptr;
}

Status add_sandboxes(const Cri& cri, const std::string& uid, const ObservedPod& known, ObservedPod& out) {
    for (const cri::PodSandbox& item : TRY(cri.sandboxes.list(uid))) {
        if (lookup(item.labels(), labels::kPodUid) != uid) continue;
        if (const ObservedSandbox* same = find(known, item)) {
            out.sandboxes.push_back(*same);
            continue;
        }
        auto full = full_sandbox(cri, item);
        if (full)
            out.sandboxes.push_back(std::move(*full));
        else if (full.error().kind() != Kind::NotFound)
            return std::move(full).error();
    }
    std::sort(out.sandboxes.begin(), out.sandboxes.end(), [](const auto& a, const auto& b) {
        return std::tie(a.attempt, a.created_at) > std::tie(b.attempt, b.created_at);
    });
    return ok();
}

Status add_containers(const Cri& cri, const std::string& uid, const ObservedPod& known, const Paths& paths,
                      ObservedPod& out) {
    for (const cri::Container& item : TRY(cri.containers.list(uid))) {
        if (lookup(item.labels(), labels::kPodUid) != uid) continue;
        if (const ObservedContainer* same = find_ended(known, item.id())) {
            out.containers.push_back(*same);
            continue;
        }
        const auto status = cri.containers.status(item.id());
        if (!status && status.error().kind() == Kind::NotFound) continue;  // removed in between
        if (!status) return status.error();
        ObservedContainer c = from_status(*status, item.pod_sandbox_id());
        if (c.state == RunState::Exited) c.message += read_message(uid, c.name, c.restarts, paths);
        out.containers.push_back(std::move(c));
    }
    // By count first: the wall clock may have jumped back between two of them.
    std::sort(out.containers.begin(), out.containers.end(), [](const auto& a, const auto& b) {
        return std::tie(a.restarts, a.created_at) > std::tie(b.restarts, b.created_at);
    });
    return ok();
}

}  // namespace

Result<ObservedPod> observe_pod(const Cri& cri, const std::string& uid, const ObservedPod& known,
                                const Paths& paths) {
    ObservedPod out;
    TRY(add_sandboxes(cri, uid, known, out));
    TRY(add_containers(cri, uid, known, paths, out));
    return out;
}

std::string signature_of(const ObservedPod& pod) {
    std::set<std::string> parts;
    for (const ObservedSandbox& s : pod.sandboxes) parts.insert(s.id + (s.ready ? "+" : "-"));
    for (const ObservedContainer& c : pod.containers)
        parts.insert(c.id + std::to_string(static_cast<int>(c.state)));
    std::string out;
    for (const std::string& part : parts) out += part + " ";
    return out;
}

Result<std::map<std::string, PodGlimpse>> observe_all(const Cri& cri) {
    std::map<std::string, PodGlimpse> out;
    std::map<std::string, ObservedPod> pods;
    for (const cri::PodSandbox& item : TRY(cri.sandboxes.list(""))) {
        const std::string uid = lookup(item.labels(), labels::kPodUid);
        if (uid.empty()) continue;
        PodGlimpse& glimpse = out[uid];
        glimpse.name = lookup(item.labels(), labels::kPodName);
        glimpse.ns = lookup(item.labels(), labels::kPodNamespace);
        glimpse.grace_s = number<int64_t>(lookup(item.annotations(), labels::kGrace), 30);
        ObservedSandbox s;
        s.id = item.id();
        s.ready = item.state() == cri::SANDBOX_READY;
        pods[uid].sandboxes.push_back(s);
    }
    for (const cri::Container& item : TRY(cri.containers.list(""))) {
        const std::string uid = lookup(item.labels(), labels::kPodUid);
        if (uid.empty()) continue;
        out.try_emplace(uid, PodGlimpse{lookup(item.labels(), labels::kPodName),
                                        lookup(item.labels(), labels::kPodNamespace), 30, ""});
        ObservedContainer c;
        c.id = item.id();
        c.state = state_of(item.state());
        pods[uid].containers.push_back(c);
    }
    for (auto& [uid, glimpse] : out) glimpse.signature = signature_of(pods[uid]);
    return out;
}

}  // namespace orlop::agent
