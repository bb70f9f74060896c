#include "runtime/oci/record.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace orlop::oci {

namespace {

using Json = nlohmann::ordered_json;

Json spec_fields(const Record& record, State state) {
    Json json;
    json["ociVersion"] = record.version;
    json["id"] = record.id;
    json["pid"] = state == State::Stopped ? 0 : record.pid;
    json["status"] = name_of(state);
    json["bundle"] = record.bundle;
    return json;
}

// Annotations and paths are whatever bytes the bundle has: no UTF-8 check may throw here.
std::string dump(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view name_of(State state) {
    switch (state) {
        case State::Creating:
            return "creating";
        case State::Created:
            return "created";
        case State::Running:
            return "running";
        case State::Paused:
            return "paused";
        case State::Stopped:
            return "stopped";
    }
    return "stopped";
}

bool Record::operator==(const Record& other) const {
    return to_json(*this) == to_json(other) && pid == other.pid && pid_start == other.pid_start;
}

std::string to_json(const Record& record) {
    Json json;
    json["ociVersion"] = record.version;
    json["id"] = record.id;
    json["bundle"] = record.bundle;
    json["rootfs"] = record.rootfs;
    json["created"] = record.created;
    json["annotations"] = record.annotations;
    json["cgroup"] = {{"path", record.cgroup.path}, {"unit", record.cgroup.unit}};
    json["ownPidNamespace"] = record.own_pid_namespace;
    return dump(json, -1);
}

Result<Record> record_from_json(std::string_view text) {
    try {
        const Json json = Json::parse(text);
        Record record;
        json.at("ociVersion").get_to(record.version);
        json.at("id").get_to(record.id);
        json.at("bundle").get_to(record.bundle);
        json.at("rootfs").get_to(record.rootfs);
        json.at("created").get_to(record.created);
        for (const auto& [key, value] : json.at("annotations").items()) {
            record.annotations[key] = value.get<std::string>();
        }
        json.at("cgroup").at("path").get_to(record.cgroup.path);
        json.at("cgroup").at("unit").get_to(record.cgroup.unit);
        json.at("ownPidNamespace").get_to(record.own_pid_namespace);
        return record;
    } catch (const nlohmann::json::exception& e) {
        return Error::invalid(e.what());
    }
}

std::string process_line(const Record& record) {
    return std::to_string(record.pid) + " " + std::to_string(record.pid_start) + "\n";
}

Status set_process(Record& record, std::string_view line) {
    const char* end = line.data() + line.size();
    const auto pid = std::from_chars(line.data(), end, record.pid);
    if (pid.ec != std::errc() || pid.ptr == end || *pid.ptr != ' ' || record.pid <= 0) {
        return Error::invalid("no process id");
    }
    const auto start = std::from_chars(pid.ptr + 1, end, record.pid_start);
    if (start.ec != std::errc() || start.ptr == end || *start.ptr != '\n')
        return Error::invalid("no start time");
    return ok();
}

std::string state_for_hooks(const Record& record, State state) {
    Json json = spec_fields(record, state);
    if (!record.annotations.empty()) json["annotations"] = record.annotations;
    return dump(json, -1);
}

std::string state_for_people(const Record& record, State state, const std::string& owner, int indent) {
    Json json = spec_fields(record, state);
    json["rootfs"] = record.rootfs;
    json["created"] = record.created;
    if (!record.annotations.empty()) json["annotations"] = record.annotations;
    json["owner"] = owner;
    return dump(json, indent);
}

}  // namespace orlop::oci
