#include "harness/agent.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "base/dir.h"

namespace orlop::it {

Agent::Agent(const Node& node)
    : base_(node.paths().base),
      socket_(node.paths().run + "/agent.sock"),
      log_(base_ + "/agent.log"),
      manifests_(base_ + "/manifests"),
      runtime_socket_(node.paths().socket) {
    EXPECT_TRUE(make_dirs(manifests_));
    const Json config = {{"apiVersion", "kubelet.config.k8s.io/v1beta1"},
                         {"kind", "KubeletConfiguration"},
                         {"staticPodPath", manifests_},
                         {"podLogsDir", node.paths().pod_logs},
                         {"healthzPort", kHealthzPort},
                         {"cgroupRoot", "/orlopit"},
                         {"containerRuntimeEndpoint", "unix://" + runtime_socket_}};
    EXPECT_TRUE(Dir::open(base_)->write_atomic("kubelet.yaml", config.dump(2)));
}

std::vector<std::string> Agent::argv(const std::vector<std::string>& extra) const {
    std::vector<std::string> all = {
        place().bin("orlop-agent"), "--config", base_ + "/kubelet.yaml", "--root-dir", base_ + "/agent",
        "--hostname-override",      "itnode",   "--status-socket",       socket_};
    all.insert(all.end(), extra.begin(), extra.end());
    return all;
}

Status Agent::start() {
    TRY(process_.start(argv(), log_));
    const bool up = eventually(scaled(20), [&] { return process_.ended() || get("/status").is_object(); });
    if (up && process_.running()) return ok();
    return Error::timed_out("the agent does not answer:\n" + log_tail());
}

void Agent::manifest(const std::string& file, const std::string& text) const {
    const Status written = Dir::open(manifests_)->write_atomic(file, text, 0644);
    EXPECT_TRUE(written) << written.error().what();
}

void Agent::remove_manifest(const std::string& file) const {
    EXPECT_TRUE(Dir::open(manifests_)->unlink(file));
}

Json Agent::get(const std::string& path) const {
    const Reply reply =
        run({"/usr/bin/curl", "-s", "--max-time", "5", "--unix-socket", socket_, "http://agent" + path}, {},
            scaled(10));
    Json parsed = Json::parse(reply.out, nullptr, false);
    return parsed.is_discarded() ? Json() : parsed;
}

Json Agent::pod(const std::string& name) const {
    const Json list = get("/pods");
    if (!list.is_object()) return nullptr;
    for (const Json& pod : list.value("items", Json::array())) {
        if (pod.value(Json::json_pointer("/metadata/name"), "") == name + "-itnode") return pod;
    }
    return nullptr;
}

bool Agent::ready(const std::string& name) const {
    const Json found = pod(name);
    if (!found.is_object()) return false;
    for (const Json& c : found.value(Json::json_pointer("/status/conditions"), Json::array())) {
        if (c.value("type", "") == "Ready") return c.value("status", "") == "True";
    }
    return false;
}

std::string Agent::log_tail() const {
    const auto text = read_file(log_);
    if (!text) return text.error().what();
    return text->size() > 2500 ? "..." + text->substr(text->size() - 2500) : *text;
}

std::string manifest_of(const std::string& name, const std::string& script, const std::string& more) {
    // A JSON string is a YAML scalar too.
    return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\n  namespace: it\nspec:\n" + more +
           "  containers:\n    - name: main\n      image: " + kBusyboxImage +
           "\n      imagePullPolicy: Never\n      command: [\"/bin/sh\", \"-c\", " + Json(script).dump() +
           "]\n";
}

}  // namespace orlop::it
