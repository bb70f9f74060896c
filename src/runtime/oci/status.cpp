#include "runtime/oci/status.h"

#include <sys/syscall.h>

#include <charconv>

#include "base/dir.h"

namespace orlop::oci {

State decide(const Record& record, const Signs& signs) {
    if (record.pid == 0) return signs.in_use ? State::Creating : State::Stopped;
    if (!signs.alive) return State::Stopped;
    if (signs.frozen) return State::Paused;
    return signs.gate ? State::Created : State::Running;
}

// proc_pid_stat(5): the name, field 2, is in parentheses and may have any of the others' characters.
std::optional<ProcessStat> parse_stat(std::string_view text) {
    constexpr int kState = 3;
    constexpr int kFlags = 9;
    constexpr int kThreads = 20;
    constexpr int kStart = 22;
    constexpr uint64_t kExiting = 0x4;  // PF_EXITING of linux/sched.h
    const size_t name_end = text.rfind(')');
    if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
    ProcessStat stat{.state = text[name_end + 2]};
    size_t at = name_end + 2;
    for (int field = kState + 1; field <= kStart; ++field) {
        at = text.find(' ', at);
        if (at++ == std::string_view::npos) return std::nullopt;
        uint64_t number = 0;
        if (field != kFlags && field != kThreads && field != kStart) continue;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
        if (error != std::errc()) return std::nullopt;
        if (field == kFlags) stat.exiting = (number & kExiting) != 0;
        if (field == kThreads) stat.threads = number;
        if (field == kStart) stat.start = number;
    }
    return stat;
}

bool has_ended(const ProcessStat& stat) {
    const bool leader_ended = stat.exiting || stat.state == 'Z' || stat.state == 'X';
    return leader_ended && stat.threads <= 1;
}

std::optional<ProcessStat> read_stat(pid_t pid) {
    const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
    return text ? parse_stat(*text) : std::nullopt;
}

namespace {

bool is_alive(const Record& record) {
    if (record.pid <= 0) return false;
    const auto stat = read_stat(record.pid);
    return stat && stat->start == record.pid_start && !has_ended(*stat);
}

}  // namespace

ProcessHandle open_first_process(const Record& record) {
    if (record.pid <= 0) return {};
    auto held = ProcessHandle::open(record.pid);
    // Looked at once it is held: the number cannot have gone to another process in between.
    return held && is_alive(record) ? *std::move(held) : ProcessHandle();
}

State state_of(const ContainerDir& dir, const Record& record, const cgroups::Hierarchies& hierarchies) {
    Signs signs{.in_use = record.pid == 0 && dir.in_use(), .alive = is_alive(record), .gate = dir.has_gate()};
    if (signs.alive) {
        signs.frozen = cgroups::Cgroup(hierarchies, record.cgroup.path).frozen().value_or(false);
    }
    return decide(record, signs);
}

}  // namespace orlop::oci
