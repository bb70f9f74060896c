#include "cli/pod_row.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "cli/json_get.h"
#include "cli/table.h"

namespace orlop::cli {

namespace {

using Json = nlohmann::json;

bool condition_true(const Json& pod, std::string_view type) {
    const Json& all = json_list(pod, "/status/conditions");
    return std::any_of(all.begin(), all.end(), [type](const Json& c) {
        return json_string(c, "/type") == type && json_string(c, "/status") == "True";
    });
}

// Init containers with restartPolicy Always (sidecars) run beside the app containers and count with them.
std::set<std::string> sidecars_of(const Json& pod) {
    std::set<std::string> out;
    for (const Json& c : json_list(pod, "/spec/initContainers"))
        if (json_string(c, "/restartPolicy") == "Always") out.insert(json_string(c, "/name"));
    return out;
}

std::string how_it_ended(const Json& status) {
    if (std::string reason = json_string(status, "/state/terminated/reason"); !reason.empty()) return reason;
    if (const int64_t signal = json_int(status, "/state/terminated/signal"); signal != 0)
        return "Signal:" + std::to_string(signal);
    return "ExitCode:" + std::to_string(json_int(status, "/state/terminated/exitCode"));
}

bool terminated(const Json& status) {
    return json_at(status, "/state/terminated").is_object();
}

void count_restarts(const Json& status, PodRow& row) {
    row.restarts += static_cast<int>(json_int(status, "/restartCount"));
    const auto at = parse_time(json_string(status, "/lastState/terminated/finishedAt"));
    if (at && (!row.last_restart || *at > *row.last_restart)) row.last_restart = at;
}

// What the first init container that is not done yet says; nothing when all are done.
std::optional<std::string> initializing(const Json& pod, const std::set<std::string>& sidecars, PodRow& row) {
    const Json& statuses = json_list(pod, "/status/initContainerStatuses");
    for (size_t i = 0; i < statuses.size(); ++i) {
        const Json& status = statuses[i];
        count_restarts(status, row);
        const bool sidecar = sidecars.contains(json_string(status, "/name"));
        if (terminated(status) && json_int(status, "/state/terminated/exitCode") == 0) continue;
        if (sidecar && json_bool(status, "/started")) {
            if (json_bool(status, "/ready")) ++row.ready;
            continue;
        }
        if (terminated(status)) return "Init:" + how_it_ended(status);
        const std::string waiting = json_string(status, "/state/waiting/reason");
        if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + waiting;
        return "Init:" + std::to_string(i) + "/" +
               std::to_string(json_list(pod, "/spec/initContainers").size());
    }
    return std::nullopt;
}

void read_app_containers(const Json& pod, PodRow& row) {
    bool running = false;
    const Json& statuses = json_list(pod, "/status/containerStatuses");
    for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
        count_restarts(*status, row);
        const std::string waiting = json_string(*status, "/state/waiting/reason");
        if (!waiting.empty()) {
            row.status = waiting;
        } else if (terminated(*status)) {
            row.status = how_it_ended(*status);
        } else if (json_bool(*status, "/ready") && json_at(*status, "/state/running").is_object()) {
            running = true;
            ++row.ready;
        }
    }
    if (row.status == "Completed" && running)
        row.status = condition_true(pod, "Ready") ? "Running" : "NotReady";
}

void append_why(std::string& why, const std::string& who, const std::string& reason,
                const std::string& message) {
    if (reason.empty() && message.empty()) return;
    if (!why.empty()) why += "; ";
    why += who + reason + (reason.empty() || message.empty() ? "" : ": ") + message;
}

std::string why_not_ready(const Json& pod) {
    std::string why;
    append_why(why, "", json_string(pod, "/status/reason"), json_string(pod, "/status/message"));
    for (const char* list : {"/status/initContainerStatuses", "/status/containerStatuses"}) {
        for (const Json& status : json_list(pod, list)) {
            const std::string who = "container " + json_string(status, "/name") + ": ";
            append_why(why, who, json_string(status, "/state/waiting/reason"),
                       json_string(status, "/state/waiting/message"));
            const Json& ended = json_at(status, "/state/terminated");
            if (ended.is_object() && json_int(ended, "/exitCode") != 0)
                append_why(why, who, how_it_ended(status), json_string(ended, "/message"));
        }
    }
    if (!why.empty()) return why;
    for (const Json& condition : json_list(pod, "/status/conditions")) {
        if (json_string(condition, "/status") == "False")
            append_why(why, json_string(condition, "/type") + ": ", json_string(condition, "/reason"),
                       json_string(condition, "/message"));
    }
    return why;
}

std::string restarts_text(const PodRow& row, Nanos now) {
    std::string out = std::to_string(row.restarts);
    if (row.restarts > 0 && row.last_restart) out += " (" + human_age(now - *row.last_restart) + " ago)";
    return out;
}

}  // namespace

std::optional<Nanos> parse_time(const std::string& text) {
    std::tm tm{};
    const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == nullptr) return std::nullopt;
    int64_t nanos = 0;
    if (*rest == '.') {
        int64_t unit = 100'000'000;
        for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) nanos += (*rest - '0') * unit;
    }
    if (*rest != 'Z' || rest[1] != '\0') return std::nullopt;
    return std::chrono::seconds(timegm(&tm)) + Nanos(nanos);
}

PodRow row_of_pod(const Json& pod) {
    PodRow row;
    row.ns = json_string(pod, "/metadata/namespace");
    row.name = json_string(pod, "/metadata/name");
    row.uid = json_string(pod, "/metadata/uid");
    row.ip = json_string(pod, "/status/podIP");
    row.created = parse_time(json_string(pod, "/metadata/creationTimestamp"));
    // Static pods have no API server that sets their creation time.
    if (!row.created) row.created = parse_time(json_string(pod, "/status/startTime"));

    const std::string phase = json_string(pod, "/status/phase");
    const std::string reason = json_string(pod, "/status/reason");
    row.status = !reason.empty() ? reason : phase.empty() ? "Pending" : phase;
    const std::set<std::string> sidecars = sidecars_of(pod);
    row.total = static_cast<int>(json_list(pod, "/spec/containers").size() + sidecars.size());
    const auto init = initializing(pod, sidecars, row);
    if (init) row.status = *init;
    if (!init || condition_true(pod, "Initialized")) read_app_containers(pod, row);
    const bool over = phase == "Succeeded" || phase == "Failed";
    const bool deleted = !json_string(pod, "/metadata/deletionTimestamp").empty();
    if (deleted && !over) row.status = "Terminating";

    row.settled = !deleted && (phase == "Succeeded" || condition_true(pod, "Ready"));
    row.failed = phase == "Failed";
    if (!row.settled) row.why = why_not_ready(pod);
    return row;
}

Result<std::vector<PodRow>> rows_of_pod_list(const std::string& text) {
    const Json list = Json::parse(text, nullptr, false);
    if (list.is_discarded() || !json_at(list, "/items").is_array())
        return Error::invalid("the answer is no PodList");
    std::vector<PodRow> rows;
    for (const Json& pod : json_list(list, "/items")) rows.push_back(row_of_pod(pod));
    std::sort(rows.begin(), rows.end(), [](const PodRow& a, const PodRow& b) {
        return std::tie(a.ns, a.name) < std::tie(b.ns, b.name);
    });
    return rows;
}

std::string pods_table(const std::vector<PodRow>& rows, Nanos now) {
    std::vector<std::vector<std::string>> cells = {
        {"NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP"}};
    for (const PodRow& row : rows) {
        cells.push_back({row.ns, row.name, std::to_string(row.ready) + "/" + std::to_string(row.total),
                         row.status, restarts_text(row, now),
                         row.created ? human_age(now - *row.created) : "<unknown>",
                         row.ip.empty() ? "<none>" : row.ip});
    }
    return render_table(cells);
}

Json pods_json(const std::vector<PodRow>& rows, Nanos now) {
    Json out = Json::array();
    for (const PodRow& row : rows) {
        Json pod = {{"namespace", row.ns},      {"name", row.name},
                    {"uid", row.uid},           {"readyContainers", row.ready},
                    {"containers", row.total},  {"status", row.status},
                    {"restarts", row.restarts}, {"ip", row.ip},
                    {"ready", row.settled}};
        if (row.created)
            pod["ageSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(now - *row.created).count();
        if (!row.why.empty()) pod["why"] = row.why;
        out.push_back(std::move(pod));
    }
    return out;
}

}  // namespace orlop::cli
