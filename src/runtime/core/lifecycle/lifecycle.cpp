#include "runtime/core/lifecycle/lifecycle.h"

namespace orlop::core {

Lifecycle::StartWindow::~StartWindow() {
    if (owner_ == nullptr) return;
    Held held;
    {
        std::lock_guard lock(owner_->mutex_);
        auto found = owner_->windows_.find(container_);
        if (found == owner_->windows_.end()) return;
        held = std::move(found->second);
        owner_->windows_.erase(found);
    }
    if (held.exit) owner_->exited(held.sandbox, *held.exit);
}

Lifecycle::StartWindow Lifecycle::starting(const std::string& container) {
    std::lock_guard lock(mutex_);
    windows_[container];
    return {this, container};
}

void Lifecycle::exited(const std::string& sandbox, const shim::Exit& exit) {
    {
        std::lock_guard lock(mutex_);
        if (auto found = windows_.find(exit.container); found != windows_.end()) {
            found->second = {sandbox, exit};
            return;
        }
    }
    pool_.post(sandbox, [this, sandbox, exit] { handle_exit(sandbox, exit); });
}

void Lifecycle::gone(const std::string& sandbox) {
    pool_.post(sandbox, [this, sandbox] { handle_gone(sandbox); });
}

Status Lifecycle::take_exit(const std::string& sandbox, const shim::Exit& exit) {
    bool ended = false;
    TRY(state_.containers->update(exit.container, [&](ContainerRecord record) {
        ended = record.phase != ContainerPhase::Exited;
        if (!ended) return record;
        if (record.started_at == 0) record.started_at = exit.started_at;
        return core::exited(std::move(record), exit.code, exit.oom, exit.finished_at);
    }));
    if (ended) announcer_.announce(cri::CONTAINER_STOPPED_EVENT, exit.container, sandbox);
    return ok();
}

void Lifecycle::handle_exit(const std::string& sandbox, const shim::Exit& exit) {
    Status taken = take_exit(sandbox, exit);
    // Without a record (just removed) there is nothing to keep the exit for; with a failed write there is.
    if (taken || taken.error().kind() == Kind::NotFound) return actions_.forget(sandbox, exit.container);
    // The disk is full or worse. The shim keeps the exit until then, and we do not lose it either.
    actions_.report(taken.error().what());
    pool_.post_later(sandbox, retry_, [this, sandbox, exit] { handle_exit(sandbox, exit); });
}

void Lifecycle::handle_gone(const std::string& sandbox) {
    const auto record = state_.sandboxes->get(sandbox);
    if (!record || record->phase == SandboxPhase::Creating) return;  // whoever creates it sees it fail
    for (const shim::Exit& exit : actions_.left_exits(sandbox)) {
        if (auto r = take_exit(sandbox, exit); !r && r.error().kind() != Kind::NotFound) {
            actions_.report(r.error().what());
        }
    }
    const auto runs = [](const ContainerRecord& c) {
        return c.phase == ContainerPhase::Running || c.phase == ContainerPhase::Starting;
    };
    std::vector<std::string> lost_ids;
    for (const auto& container : state_.containers_of(sandbox)) {
        if (runs(*container)) lost_ids.push_back(container->id);
    }
    if (lost_ids.empty() && record->phase != SandboxPhase::Ready) return;  // it was told to end
    actions_.report("the shim of sandbox " + sandbox + " died: its pod is killed");
    if (auto r = actions_.kill_pod(*record); !r) actions_.report(r.error().what());
    for (const std::string& id : lost_ids) {
        auto r = state_.containers->update(id, [&](ContainerRecord c) {
            return runs(c) ? lost(std::move(c), "the pod's shim died", clock_.wall().count()) : c;
        });
        if (r) announcer_.announce(cri::CONTAINER_STOPPED_EVENT, id, sandbox);
    }
    auto r = state_.sandboxes->update(sandbox, [](SandboxRecord s) {
        s.phase = SandboxPhase::NotReady;
        return s;
    });
    if (r) announcer_.announce(cri::CONTAINER_STOPPED_EVENT, sandbox, sandbox);
    if (!r) actions_.report(r.error().what());
}

}  // namespace orlop::core
