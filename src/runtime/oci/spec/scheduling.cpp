#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>

#include <charconv>

#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

template <class Number, size_t N>
Result<Number> by_name(const Field& from, const std::pair<std::string_view, Number> (&names)[N]) {
    const std::string given = TRY(from.required_text());
    for (const auto& [name, number] : names) {
        if (given == name) return number;
    }
    return from.wrong("unknown value \"" + given + "\"");
}

constexpr std::pair<std::string_view, uint32_t> kPolicies[] = {
    {"SCHED_OTHER", SCHED_NORMAL},     {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},      {"SCHED_ISO", 4},           {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", SCHED_DEADLINE}};

constexpr std::pair<std::string_view, uint64_t> kSchedFlags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX}};

constexpr std::pair<std::string_view, uint32_t> kIoClasses[] = {{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
                                                                {"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
                                                                {"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE}};

constexpr std::pair<std::string_view, uint32_t> kMemoryModes[] = {
    {"MPOL_DEFAULT", MPOL_DEFAULT},       {"MPOL_PREFERRED", MPOL_PREFERRED}, {"MPOL_BIND", MPOL_BIND},
    {"MPOL_INTERLEAVE", MPOL_INTERLEAVE}, {"MPOL_LOCAL", MPOL_LOCAL},         {"MPOL_PREFERRED_MANY", 5},
    {"MPOL_WEIGHTED_INTERLEAVE", 6}};

constexpr std::pair<std::string_view, uint32_t> kMemoryFlags[] = {
    {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
    {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
    {"MPOL_F_NUMA_BALANCING", 1u << 13}};

Status read_scheduler(const Field& from, launch::Process& out) {
    if (!from.there()) return ok();
    launch::Scheduler s;
    s.policy = TRY(by_name(from["policy"], kPolicies));
    s.nice = static_cast<int32_t>(TRY(from["nice"].integer(-20, 19)).value_or(0));
    s.priority = static_cast<uint32_t>(TRY(from["priority"].natural(99)).value_or(0));
    s.runtime = TRY(from["runtime"].natural(UINT64_MAX)).value_or(0);
    s.deadline = TRY(from["deadline"].natural(UINT64_MAX)).value_or(0);
    s.period = TRY(from["period"].natural(UINT64_MAX)).value_or(0);
    for (const Field& flag : TRY(from["flags"].items())) s.flags |= TRY(by_name(flag, kSchedFlags));
    const bool realtime = s.policy == SCHED_FIFO || s.policy == SCHED_RR;
    if (s.priority != 0 && !realtime) return from["priority"].wrong("is for SCHED_FIFO and SCHED_RR only");
    if ((s.runtime | s.deadline | s.period) != 0 && s.policy != SCHED_DEADLINE)
        return from.wrong("runtime, deadline and period are for SCHED_DEADLINE only");
    out.scheduler = s;
    return ok();
}

Status read_io_priority(const Field& from, launch::Process& out) {
    if (!from.there()) return ok();
    const uint32_t io_class = TRY(by_name(from["class"], kIoClasses));
    const uint64_t level = TRY(from["priority"].natural(7)).value_or(0);
    out.io_priority = static_cast<uint16_t>((io_class << 13) | level);
    return ok();
}

}  // namespace

Status read_memory_policy(const Field& from, launch::Process& out) {
    if (!from.there()) return ok();
    launch::MemoryPolicy policy;
    policy.mode = TRY(by_name(from["mode"], kMemoryModes));
    policy.nodes = TRY(read_cpu_list(from["nodes"]));
    for (const Field& flag : TRY(from["flags"].items())) policy.mode |= TRY(by_name(flag, kMemoryFlags));
    out.memory_policy = std::move(policy);
    return ok();
}

Result<std::vector<uint32_t>> read_cpu_list(const Field& from) {
    constexpr uint32_t kMost = 1023;
    const std::string text = TRY(from.text_or(""));
    std::vector<uint32_t> out;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        uint32_t first = 0;
        auto [stop, error] = std::from_chars(at, end, first);
        if (error != std::errc() || first > kMost)
            return from.wrong("\"" + text + "\" is no list such as 0-3,7");
        uint32_t last = first;
        if (stop != end && *stop == '-') {
            const auto second = std::from_chars(stop + 1, end, last);
            if (second.ec != std::errc() || last < first || last > kMost)
                return from.wrong("\"" + text + "\" is no list such as 0-3,7");
            stop = second.ptr;
        }
        for (uint32_t n = first; n <= last; ++n) out.push_back(n);
        if (stop != end && (*stop != ',' || ++stop == end))
            return from.wrong("\"" + text + "\" is no list such as 0-3,7");
        at = stop;
    }
    return out;
}

Status read_scheduling(const Field& process, launch::Process& out) {
    TRY(read_scheduler(process["scheduler"], out));
    TRY(read_io_priority(process["ioPriority"], out));
    out.initial_cpus = TRY(read_cpu_list(process["execCPUAffinity"]["initial"]));
    out.final_cpus = TRY(read_cpu_list(process["execCPUAffinity"]["final"]));
    return ok();
}

}  // namespace orlop::oci
