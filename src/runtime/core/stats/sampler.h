// What a single look at a container cannot tell: rates, for which an earlier look is needed, and sizes on
// disk, which are too dear to be counted for every request.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "images/store.h"

namespace orlop::core {

class Sampler {
  public:
    // A rate over less than this says little.
    static constexpr Nanos kLeast = std::chrono::milliseconds(500);

    Sampler(const Clock& clock, Nanos disk_age) : clock_(clock), disk_age_(disk_age) {}

    // CPU time that `id` has used until now, in ns; the rate since the last sample that is at least kLeast
    // old, in nanocores. Nothing at the first sight of it.
    std::optional<uint64_t> nano_cores(const std::string& id, uint64_t total_ns);
    // The answer of `count`, or an earlier one that is younger than disk_age.
    Result<images::DiskUsage> disk(const std::string& id,
                                   const std::function<Result<images::DiskUsage>()>& count);
    // Keeps only those.
    void retain(const std::function<bool(const std::string&)>& alive);

  private:
    struct Cpu {
        Nanos at{};
        uint64_t total_ns = 0;
        std::optional<uint64_t> rate;
    };
    struct Disk {
        Nanos at{};
        images::DiskUsage usage;
    };
    const Clock& clock_;
    Nanos disk_age_;
    std::mutex mutex_;
    std::map<std::string, Cpu> cpu_;    // guarded by mutex_
    std::map<std::string, Disk> disk_;  // guarded by mutex_
};

}  // namespace orlop::core
