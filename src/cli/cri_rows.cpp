#include "cli/cri_rows.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace orlop::cli {

namespace {

namespace cri = ::runtime::v1;
using Latest = std::map<std::string, const cri::ContainerStatus*>;

Latest latest_containers(const cri::PodSandboxStatusResponse& sandbox) {
    Latest out;
    for (const auto& status : sandbox.containers_statuses()) {
        const cri::ContainerStatus*& at = out[status.metadata().name()];
        if (at == nullptr || at->metadata().attempt() <= status.metadata().attempt()) at = &status;
    }
    return out;
}

std::string status_of(const cri::ContainerStatus& container) {
    switch (container.state()) {
        case cri::CONTAINER_CREATED:
            return "Created";
        case cri::CONTAINER_RUNNING:
            return "Running";
        case cri::CONTAINER_EXITED:
            if (!container.reason().empty()) return container.reason();
            return container.exit_code() == 0 ? "Completed" : "Error";
        default:
            return "Unknown";
    }
}

PodRow row_of(const cri::PodSandboxStatusResponse& sandbox) {
    const cri::PodSandboxStatus& pod = sandbox.status();
    PodRow row;
    row.ns = pod.metadata().namespace_();
    row.name = pod.metadata().name();
    row.uid = pod.metadata().uid();
    row.ip = pod.network().ip();
    row.created = Nanos(pod.created_at());
    row.status = "Running";
    for (const auto& [name, container] : latest_containers(sandbox)) {
        ++row.total;
        row.restarts += static_cast<int>(container->metadata().attempt());
        if (container->state() == cri::CONTAINER_RUNNING) {
            ++row.ready;
        } else {
            row.status = status_of(*container);
        }
    }
    if (pod.state() != cri::SANDBOX_READY) row.status = row.total == 0 ? "NotReady" : row.status;
    if (pod.state() == cri::SANDBOX_READY && row.total == 0) row.status = "Sandbox";
    row.settled = pod.state() == cri::SANDBOX_READY && row.total > 0 && row.ready == row.total;
    return row;
}

}  // namespace

std::vector<PodRow> rows_of_sandboxes(const std::vector<cri::PodSandboxStatusResponse>& sandboxes) {
    std::map<std::tuple<std::string, std::string, std::string>, const cri::PodSandboxStatusResponse*> pods;
    for (const auto& sandbox : sandboxes) {
        const auto& m = sandbox.status().metadata();
        const cri::PodSandboxStatusResponse*& at = pods[{m.namespace_(), m.name(), m.uid()}];
        if (at == nullptr || at->status().metadata().attempt() <= m.attempt()) at = &sandbox;
    }
    std::vector<PodRow> rows;
    for (const auto& [key, sandbox] : pods) rows.push_back(row_of(*sandbox));
    return rows;
}

}  // namespace orlop::cli
