#include "runtime/core/recovery/decide.h"

#include <algorithm>

namespace orlop::core {

namespace {

const shim::ContainerState* in_snapshot(const Found& found, const ContainerRecord& container) {
    const auto shim = found.shims.find(container.sandbox);
    if (shim == found.shims.end()) return nullptr;
    const auto& list = shim->second.containers;
    const auto at =
        std::find_if(list.begin(), list.end(), [&](const auto& s) { return s.id == container.id; });
    return at == list.end() ? nullptr : &*at;
}

ContainerRecord with_exit(ContainerRecord record, const shim::Exit& exit) {
    if (record.started_at == 0) record.started_at = exit.started_at;
    return exited(std::move(record), exit.code, exit.oom, exit.finished_at);
}

// One that was starting or running when the daemon ended.
ContainerRecord resume(const Found& found, const ContainerRecord& record, int64_t now) {
    const shim::ContainerState* seen = in_snapshot(found, record);
    if (seen != nullptr && seen->exit) return with_exit(record, *seen->exit);
    if (seen != nullptr) {
        ContainerRecord running = record;
        running.phase = ContainerPhase::Running;
        running.pid = seen->pid;
        running.started_at = seen->started_at;
        return running;
    }
    if (const auto file = found.exit_files.find(record.id); file != found.exit_files.end()) {
        return with_exit(record, file->second);
    }
    if (found.shims.count(record.sandbox) != 0 && record.phase == ContainerPhase::Starting) {
        return start_failed(record, "orlop-runtime ended before the container was started", now);
    }
    return lost(record, "the container ended while nobody watched it", now);
}

void decide_sandbox(const Found& found, const SandboxRecord& sandbox, Decisions& out) {
    if (sandbox.phase == SandboxPhase::Creating) {
        out.undo.push_back(sandbox.id);
        return;
    }
    if (sandbox.phase != SandboxPhase::Ready) return;
    const auto shim = found.shims.find(sandbox.id);
    const bool whole = shim != found.shims.end() && shim->second.pause_pid != 0;
    if (!whole || found.lost_netns.count(sandbox.id) != 0) out.kill.push_back(sandbox.id);
}

void decide_container(const Found& found, const ContainerRecord& container, int64_t now, Decisions& out) {
    const bool was_active =
        container.phase == ContainerPhase::Starting || container.phase == ContainerPhase::Running;
    ContainerRecord record = was_active ? resume(found, container, now) : container;
    const shim::ContainerState* seen = in_snapshot(found, container);
    if (record.phase == ContainerPhase::Exited && seen != nullptr && seen->exit) {
        out.forget.emplace_back(container.sandbox, container.id);
    }
    if (was_active) out.changed.push_back(std::move(record));
}

}  // namespace

Decisions decide(const Found& found, int64_t now) {
    Decisions out;
    std::set<std::string> sandboxes;
    std::set<std::string> containers;
    for (const SandboxRecord& sandbox : found.sandboxes) {
        sandboxes.insert(sandbox.id);
        decide_sandbox(found, sandbox, out);
    }
    for (const ContainerRecord& container : found.containers) {
        if (sandboxes.count(container.sandbox) == 0) {
            out.drop.push_back(container.id);
            continue;
        }
        containers.insert(container.id);
        decide_container(found, container, now, out);
    }
    for (const std::string& directory : found.shim_directories) {
        if (sandboxes.count(directory) == 0) out.orphan_shims.push_back(directory);
    }
    for (const auto& [sandbox, snapshot] : found.shims) {
        if (sandboxes.count(sandbox) == 0) continue;
        for (const auto& seen : snapshot.containers) {
            if (containers.count(seen.id) == 0) out.kill_container.emplace_back(sandbox, seen.id);
        }
    }
    for (const std::string& owner : found.pin_owners) {
        if (containers.count(owner) == 0) out.unpin.push_back(owner);
    }
    return out;
}

}  // namespace orlop::core
