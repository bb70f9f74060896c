#include "runtime/core/state/names.h"

#include "base/fault.h"

namespace orlop::core {

Names::Claim::Claim(Claim&& other) noexcept
    : names_(std::exchange(other.names_, nullptr)), name_(std::move(other.name_)) {}

Names::Claim::~Claim() {
    if (names_ == nullptr) return;
    std::lock_guard lock(names_->mutex_);
    names_->entries_.erase(name_);
    names_->changed_.notify_all();
}

void Names::Claim::stage(const std::string& stage) {
    fault_point(stage);
    std::lock_guard lock(names_->mutex_);
    names_->entries_.at(name_).stage = stage;
}

void Names::Claim::keep() {
    Names* names = std::exchange(names_, nullptr);
    std::lock_guard lock(names->mutex_);
    names->entries_.at(name_).stage.clear();
    names->changed_.notify_all();
}

Result<Names::Outcome> Names::claim(const std::string& name, const std::string& id, Nanos timeout) {
    std::unique_lock lock(mutex_);
    const auto settled = [&] {
        auto found = entries_.find(name);
        return found == entries_.end() || found->second.stage.empty();
    };
    if (!changed_.wait_for(lock, timeout, settled)) {
        return Error::timed_out(name + " is still being created, currently at stage \"" +
                                entries_.at(name).stage + "\": try again");
    }
    Outcome outcome;
    if (auto found = entries_.find(name); found != entries_.end()) {
        outcome.existing = found->second.id;
    } else {
        entries_[name] = {id, "start"};
        outcome.claim.emplace(Claim(this, name));
    }
    return outcome;
}

void Names::add(const std::string& name, const std::string& id) {
    std::lock_guard lock(mutex_);
    entries_[name] = {id, ""};
}

void Names::release(const std::string& name, const std::string& id) {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(name);
    if (found == entries_.end() || found->second.id != id) return;
    entries_.erase(found);
    changed_.notify_all();
}

}  // namespace orlop::core
