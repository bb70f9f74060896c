// What `status` and `up --wait` show of a pod, computed from a v1 Pod as kubectl does. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::cli {

struct PodRow {
    std::string ns;
    std::string name;
    std::string uid;
    std::string status;  // Running, Init:0/1, CrashLoopBackOff, Completed, Terminating, ...
    std::string ip;      // "" while there is none
    std::string why;     // what keeps it from being Ready, "" if nothing is known
    int ready = 0;       // containers
    int total = 0;
    int restarts = 0;
    std::optional<Nanos> last_restart;  // since the epoch
    std::optional<Nanos> created;       // since the epoch
    bool settled = false;               // Ready, or ended with success
    bool failed = false;                // phase Failed: it will not become Ready
};

PodRow row_of_pod(const nlohmann::json& pod);
// A v1 PodList; sorted by namespace and name. Invalid if it is none.
Result<std::vector<PodRow>> rows_of_pod_list(const std::string& text);

// NAMESPACE NAME READY STATUS RESTARTS AGE IP.
std::string pods_table(const std::vector<PodRow>& rows, Nanos now);
nlohmann::json pods_json(const std::vector<PodRow>& rows, Nanos now);

// "2026-01-02T03:04:05Z" with an optional fraction, as Kubernetes writes times.
std::optional<Nanos> parse_time(const std::string& text);

}  // namespace orlop::cli
