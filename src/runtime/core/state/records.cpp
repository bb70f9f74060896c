#include "runtime/core/state/records.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"

namespace orlop::core {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;

const char* const kSandboxPhases[] = {"creating", "ready", "notready"};
const char* const kContainerPhases[] = {"created", "starting", "running", "exited"};

template <class M>
void put_message(json& into, const M& message) {
    into["config"] = base64_encode(message.SerializeAsString());
}

template <class M>
Status get_message(const json& from, M& message) {
    const std::string bytes = TRY(base64_decode(from.at("config").get<std::string>()));
    if (!message.ParseFromString(bytes)) return Error::invalid("config is not the message it should be");
    return ok();
}

template <class Phase, size_t N>
Status get_phase(const json& from, const char* const (&names)[N], Phase& phase) {
    const std::string text = from.at("phase").get<std::string>();
    for (size_t i = 0; i < N; ++i) {
        if (text != names[i]) continue;
        phase = static_cast<Phase>(i);
        return ok();
    }
    return Error::invalid("phase \"" + text + "\" is unknown");
}

std::string finish(const json& object) {
    return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

// `fill` may throw nlohmann's exceptions (missing key, wrong type).
template <class Record, class Fill>
Result<Record> parse(std::string_view text, Fill fill) {
    try {
        const json object = json::parse(text);
        if (object.at("version").get<int>() != kVersion) return Error::invalid("version is not known");
        Record record;
        TRY(fill(object, record));
        return record;
    } catch (const json::exception& e) {
        return Error::invalid(e.what());
    }
}

}  // namespace

std::string encode(const SandboxRecord& r) {
    json o = {{"version", kVersion},        {"id", r.id},
              {"handler", r.handler},       {"phase", kSandboxPhases[static_cast<size_t>(r.phase)]},
              {"created_at", r.created_at}, {"netns", r.netns},
              {"attached", r.attached},     {"ips", r.ips},
              {"cni_result", r.cni_result}, {"cgroup_path", r.cgroup_path},
              {"shim_pid", r.shim_pid},     {"pause_pid", r.pause_pid},
              {"torn_down", r.torn_down}};
    put_message(o, r.config);
    return finish(o);
}

Result<SandboxRecord> decode_sandbox(std::string_view text) {
    return parse<SandboxRecord>(text, [](const json& o, SandboxRecord& r) -> Status {
        TRY(get_message(o, r.config));
        TRY(get_phase(o, kSandboxPhases, r.phase));
        o.at("id").get_to(r.id);
        o.at("handler").get_to(r.handler);
        o.at("created_at").get_to(r.created_at);
        o.at("netns").get_to(r.netns);
        o.at("attached").get_to(r.attached);
        o.at("ips").get_to(r.ips);
        o.at("cni_result").get_to(r.cni_result);
        o.at("cgroup_path").get_to(r.cgroup_path);
        o.at("shim_pid").get_to(r.shim_pid);
        o.at("pause_pid").get_to(r.pause_pid);
        o.at("torn_down").get_to(r.torn_down);
        return ok();
    });
}

std::string encode(const ContainerRecord& r) {
    json o = {{"version", kVersion},
              {"id", r.id},
              {"sandbox", r.sandbox},
              {"phase", kContainerPhases[static_cast<size_t>(r.phase)]},
              {"created_at", r.created_at},
              {"started_at", r.started_at},
              {"finished_at", r.finished_at},
              {"exit_code", r.exit_code},
              {"reason", r.reason},
              {"message", r.message},
              {"image_id", r.image_id},
              {"image_ref", r.image_ref},
              {"log_path", r.log_path},
              {"stop_signal", r.stop_signal},
              {"pid", r.pid},
              {"uid", r.uid},
              {"gid", r.gid},
              {"groups", r.groups},
              {"image_volumes", r.image_volumes}};
    put_message(o, r.config);
    return finish(o);
}

Result<ContainerRecord> decode_container(std::string_view text) {
    return parse<ContainerRecord>(text, [](const json& o, ContainerRecord& r) -> Status {
        TRY(get_message(o, r.config));
        TRY(get_phase(o, kContainerPhases, r.phase));
        o.at("id").get_to(r.id);
        o.at("sandbox").get_to(r.sandbox);
        o.at("created_at").get_to(r.created_at);
        o.at("started_at").get_to(r.started_at);
        o.at("finished_at").get_to(r.finished_at);
        o.at("exit_code").get_to(r.exit_code);
        o.at("reason").get_to(r.reason);
        o.at("message").get_to(r.message);
        o.at("image_id").get_to(r.image_id);
        o.at("image_ref").get_to(r.image_ref);
        o.at("log_path").get_to(r.log_path);
        o.at("stop_signal").get_to(r.stop_signal);
        o.at("pid").get_to(r.pid);
        o.at("uid").get_to(r.uid);
        o.at("gid").get_to(r.gid);
        o.at("groups").get_to(r.groups);
        r.image_volumes = o.value("image_volumes", r.image_volumes);
        return ok();
    });
}

std::string unique_name(const cri::PodSandboxMetadata& m) {
    return "sandbox " + m.namespace_() + "/" + m.name() + " (uid " + m.uid() + ", attempt " +
           std::to_string(m.attempt()) + ")";
}

std::string unique_name(const std::string& sandbox_id, const cri::ContainerMetadata& m) {
    return "container " + m.name() + " (attempt " + std::to_string(m.attempt()) + ") of sandbox " +
           sandbox_id;
}

ContainerRecord exited(ContainerRecord record, int32_t code, bool oom, int64_t finished_at) {
    record.phase = ContainerPhase::Exited;
    record.pid = 0;
    record.exit_code = code;
    record.finished_at = finished_at;
    record.reason = oom && code != 0 ? "OOMKilled" : code == 0 ? "Completed" : "Error";
    return record;
}

ContainerRecord lost(ContainerRecord record, const std::string& message, int64_t now) {
    record = exited(std::move(record), 255, false, now);
    record.reason = "Unknown";
    record.message = message;
    return record;
}

ContainerRecord start_failed(ContainerRecord record, const std::string& message, int64_t now) {
    record = exited(std::move(record), 128, false, now);
    record.reason = "StartError";
    record.message = message;
    return record;
}

}  // namespace orlop::core
