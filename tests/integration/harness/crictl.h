// crictl, run as a user would run it, its answers as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/process.h"

namespace orlop::it {

using Json = nlohmann::json;

class Crictl {
  public:
    // `dir` holds the files that crictl reads: pod and container configurations.
    Crictl(std::string socket, std::string dir) : socket_(std::move(socket)), dir_(std::move(dir)) {}

    // The whole command line; crictl gives up after `limit`.
    std::vector<std::string> argv(const std::vector<std::string>& args, std::chrono::seconds limit) const;
    Reply run(const std::vector<std::string>& args, std::chrono::seconds limit = scaled(60)) const;
    // The command's output as JSON; a failure of crictl or of the parse fails the test and gives null.
    Json json(const std::vector<std::string>& args) const;
    // The command has to succeed; gives its output without the last newline.
    std::string must(const std::vector<std::string>& args) const;

    // Ids; empty after a failure, which has already failed the test.
    std::string runp(const Json& pod) const;
    std::string create(const std::string& pod_id, const Json& container, const Json& pod) const;
    // create + start
    std::string launch(const std::string& pod_id, const Json& container, const Json& pod) const;
    // `.status` of inspect and inspectp.
    Json container_status(const std::string& id) const;
    Json pod_status(const std::string& id) const;
    // The container's process as the host sees it.
    pid_t container_pid(const std::string& id) const;
    // Waits for CONTAINER_EXITED and gives the status.
    Json wait_exit(const std::string& id, std::chrono::seconds limit = scaled(30)) const;
    // Every pod, by force.
    void remove_all() const;

    std::string write(const std::string& name, const Json& config) const;

  private:
    std::string socket_;
    std::string dir_;
};

}  // namespace orlop::it
