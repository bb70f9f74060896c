// What the runtime says about one pod.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace orlop::agent {

struct ObservedSandbox {
    std::string id;
    uint32_t attempt = 0;
    bool ready = false;
    bool host_network = false;
    int64_t created_at = 0;  // nanoseconds since the epoch
    std::vector<std::string> ips;
    bool operator==(const ObservedSandbox&) const = default;
};

enum class RunState { Created, Running, Exited, Unknown };

struct ObservedContainer {
    std::string id;
    std::string name;
    std::string sandbox_id;
    uint32_t restarts = 0;
    RunState state = RunState::Unknown;
    int64_t created_at = 0;  // nanoseconds since the epoch, as are the next two
    int64_t started_at = 0;
    int64_t finished_at = 0;
    int32_t exit_code = 0;
    std::string reason;
    std::string message;
    std::string image;
    std::string image_ref;
    std::string hash;  // of the container's text when it was created; "" if the runtime does not tell
    // When it ended, on the monotonic clock: backoff must not follow jumps of the wall clock.
    Nanos ended{0};
    bool operator==(const ObservedContainer&) const = default;
};

struct ObservedPod {
    std::vector<ObservedSandbox> sandboxes;     // newest first
    std::vector<ObservedContainer> containers;  // newest first

    const ObservedContainer* latest(std::string_view name) const {
        for (const ObservedContainer& each : containers) {
            if (each.name == name) return &each;
        }
        return nullptr;
    }
    const ObservedContainer* latest_in(std::string_view name, std::string_view sandbox) const {
        for (const ObservedContainer& each : containers) {
            if (each.name == name && each.sandbox_id == sandbox) return &each;
        }
        return nullptr;
    }
    bool anything_running() const {
        for (const ObservedContainer& each : containers) {
            if (each.state == RunState::Running) return true;
        }
        return false;
    }
};

}  // namespace orlop::agent
