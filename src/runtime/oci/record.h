// What orlop-oci knows of a container (in its state directory, store.h), and what it tells of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cgroups/container.h"

namespace orlop::oci {

// runtime-spec runtime.md "State", and runc's "paused".
enum class State : uint8_t { Creating, Created, Running, Paused, Stopped };
std::string_view name_of(State state);

struct Record {
    std::string version;  // ociVersion of its config.json
    std::string id;
    pid_t pid = 0;  // of its first process; 0 until it is created
    uint64_t pid_start =
        0;  // that process's start in clock ticks (proc_pid_stat(5), field 22): tells pid reuse
    std::string bundle, rootfs;  // absolute
    std::string created;         // RFC 3339
    std::map<std::string, std::string> annotations;
    cgroups::ContainerCgroup cgroup;
    bool own_pid_namespace = true;  // false: its processes outlive its first one
    bool operator==(const Record&) const;
};

// Two files, so that neither is ever written twice: state.json has all but the process, which is known later.
std::string to_json(const Record& record);
Result<Record> record_from_json(std::string_view json);
std::string process_line(const Record& record);  // "PID START\n"
Status set_process(Record& record, std::string_view line);

// The state that hooks and seccomp agents get: the specification's fields only.
std::string state_for_hooks(const Record& record, State state);
// What `state` (one object) and `list --format json` (in an array) print: the specification's and runc's
// fields. `indent` as nlohmann takes it: -1 = one line.
std::string state_for_people(const Record& record, State state, const std::string& owner, int indent);

}  // namespace orlop::oci
