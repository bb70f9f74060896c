// orlop-agent beside a node's runtime: its manifest folder and what it tells.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "harness/node.h"

namespace orlop::it {

class Agent {
  public:
    explicit Agent(const Node& node);

    // Starts it and waits until its status socket answers.
    Status start();
    Result<int> stop() { return process_.end(SIGTERM, scaled(20)); }
    Process& process() { return process_; }
    std::vector<std::string> argv(const std::vector<std::string>& extra = {}) const;
    const std::string& manifests() const { return manifests_; }
    static constexpr int kHealthzPort = 10248;

    // Writes as an editor that renames does; removing is `unlink`.
    void manifest(const std::string& file, const std::string& text) const;
    void remove_manifest(const std::string& file) const;

    // GET /status and /pods of the status socket; null when it does not answer.
    Json get(const std::string& path) const;
    // The pod of that manifest name (its API name has the node's name at the end); null if there is none.
    Json pod(const std::string& name) const;
    bool ready(const std::string& name) const;
    std::string log_tail() const;

  private:
    std::string base_, socket_, log_, manifests_, runtime_socket_;
    Process process_;
};

// A manifest of one container that runs `script`; `more` are lines of the pod's spec, indented by two.
std::string manifest_of(const std::string& name, const std::string& script, const std::string& more = "");

}  // namespace orlop::it
