#include "images/registry/claims.h"

#include "images/registry/http.h"

namespace orlop::registry {

bool Claims::take(const std::string& layer) {
    const std::lock_guard lock(mutex_);
    return taken_.insert(layer).second;
}

void Claims::release(const std::string& layer) {
    const std::lock_guard lock(mutex_);
    taken_.erase(layer);
    changed_.notify_all();
}

Status Claims::await(const std::string& layer, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (changed_.wait(lock, stop, [&] { return !taken_.contains(layer); })) return ok();
    return stopped_error();
}

bool HeldClaims::take(const std::string& layer) {
    if (!claims_.take(layer)) return false;
    held_.push_back(layer);
    return true;
}

void HeldClaims::release() {
    for (const std::string& layer : held_) claims_.release(layer);
    held_.clear();
}

Status Slots::take(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return free_ > 0; })) return stopped_error();
    --free_;
    return ok();
}

void Slots::release() {
    const std::lock_guard lock(mutex_);
    ++free_;
    changed_.notify_one();
}

}  // namespace orlop::registry
