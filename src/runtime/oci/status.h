// Which state a container is in: told by the record and by what the kernel says of its first process.
#pragma once

#include <optional>
#include <string_view>

#include "base/process_handle.h"
#include "base/unique_fd.h"
#include "cgroups/cgroup.h"
#include "runtime/oci/record.h"
#include "runtime/oci/store.h"

namespace orlop::oci {

struct Signs {
    bool in_use = false;  // a command holds the lock
    bool alive = false;   // the first process, and it is the same one
    bool gate = false;    // its gate is there
    bool frozen = false;
};
State decide(const Record& record, const Signs& signs);

// What /proc/PID/stat says.
struct ProcessStat {
    char state = 'X';
    bool exiting = false;
    uint64_t threads = 0;
    uint64_t start = 0;
};
// Its last thread is in its exit: a first process may stay there until the rest of its pid namespace is
// reaped.
bool has_ended(const ProcessStat& stat);
std::optional<ProcessStat> parse_stat(std::string_view text);
std::optional<ProcessStat> read_stat(pid_t pid);

// The first process, held: signals through it cannot meet another process. Empty when it is gone.
ProcessHandle open_first_process(const Record& record);

// `hierarchies` tell whether it is frozen.
State state_of(const ContainerDir& dir, const Record& record, const cgroups::Hierarchies& hierarchies);

}  // namespace orlop::oci
