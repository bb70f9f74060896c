#include "runtime/core/lifecycle/stopper.h"

#include <algorithm>

namespace orlop::core {

// One call's part in stopping a container; the first of those at work signals.
class Stopper::Turn {
  public:
    Turn(Stopper& owner, std::string id) : owner_(owner), id_(std::move(id)) {
        std::lock_guard lock(owner_.mutex_);
        first_ = owner_.stopping_[id_]++ == 0;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        std::lock_guard lock(owner_.mutex_);
        if (--owner_.stopping_[id_] == 0) owner_.stopping_.erase(id_);
    }
    bool first() const { return first_; }

  private:
    Stopper& owner_;
    std::string id_;
    bool first_ = false;
};

bool Stopper::wait_exited(const std::string& container, Nanos timeout) const {
    return containers_.wait(
        container,
        [](const ContainerRecord* record) {
            return record == nullptr || record->phase == ContainerPhase::Exited;
        },
        timeout);
}

Status Stopper::stop(const std::string& id, Nanos grace) {
    containers_.wait(
        id,
        [](const ContainerRecord* record) {
            return record == nullptr || record->phase != ContainerPhase::Starting;
        },
        limits_.start);
    const Containers::Ptr record = containers_.get(id);
    if (!record || record->phase == ContainerPhase::Created || record->phase == ContainerPhase::Exited)
        return ok();

    Turn turn(*this, id);
    if (grace > Nanos(0)) {
        // Whoever cannot be asked to stop is not given the time to.
        const Status asked = turn.first() ? actions_.signal(*record) : ok();
        if (asked && wait_exited(id, std::min<Nanos>(grace, std::chrono::hours(24 * 30)))) return ok();
    }
    const Status killed = actions_.kill(*record);
    if (killed && wait_exited(id, limits_.kill)) return ok();
    const Status forced = actions_.force(*record);
    if (wait_exited(id, limits_.report)) return ok();
    if (forced) return actions_.presume_dead(*record);

    Error error = Error::timed_out("container " + id + " (pid " + std::to_string(record->pid) +
                                   ") does not die after SIGKILL");
    if (!killed) error = std::move(error).also(killed.error());
    return std::move(error).also(forced.error());
}

}  // namespace orlop::core
