// One mutating call a pod at a time, with a deadline for those who wait.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::core {

class PodLocks {
  public:
    class Guard {
      public:
        Guard(Guard&& other) noexcept
            : locks_(std::exchange(other.locks_, nullptr)), id_(std::move(other.id_)) {}
        Guard& operator=(Guard&&) = delete;
        ~Guard() {
            if (locks_ != nullptr) locks_->release(id_);
        }

      private:
        friend class PodLocks;
        Guard(PodLocks* locks, std::string id) : locks_(locks), id_(std::move(id)) {}
        PodLocks* locks_;
        std::string id_;
    };

    // Unavailable when the pod is still busy after `timeout`.
    Result<Guard> acquire(const std::string& sandbox_id, Nanos timeout) {
        std::unique_lock lock(mutex_);
        if (!freed_.wait_for(lock, timeout, [&] { return held_.count(sandbox_id) == 0; })) {
            return Error::unavailable("sandbox " + sandbox_id + " is busy with another call: try again");
        }
        held_.insert(sandbox_id);
        return Guard(this, sandbox_id);
    }

  private:
    void release(const std::string& id) {
        std::lock_guard lock(mutex_);
        held_.erase(id);
        freed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable freed_;
    std::set<std::string> held_;  // guarded by mutex_
};

}  // namespace orlop::core
