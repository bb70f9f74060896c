#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/dir.h"
#include "runtime/launch/process.h"

namespace orlop::launch {

namespace {

// sched_setattr(2); glibc has no declaration before 2.41.
struct SchedAttributes {
    uint32_t size = sizeof(SchedAttributes);
    uint32_t policy = 0;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t runtime = 0, deadline = 0, period = 0;
};

constexpr int kIoprioProcess = 1;  // IOPRIO_WHO_PROCESS

Status set_scheduler(const Scheduler& s, pid_t pid) {
    SchedAttributes a;
    a.policy = s.policy;
    a.flags = s.flags;
    a.nice = s.nice;
    a.priority = s.priority;
    a.runtime = s.runtime;
    a.deadline = s.deadline;
    a.period = s.period;
    if (syscall(SYS_sched_setattr, pid, &a, 0u) != 0) return Error::sys("set scheduler policy");
    return ok();
}

Status set_cpus(const std::vector<uint32_t>& cpus, pid_t pid) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const uint32_t cpu : cpus) {
        if (cpu >= CPU_SETSIZE) return Error::invalid("CPU " + std::to_string(cpu) + " is out of range");
        CPU_SET(cpu, &set);
    }
    if (sched_setaffinity(pid, sizeof set, &set) != 0) return Error::sys("set CPU affinity");
    return ok();
}

}  // namespace

Status set_scheduling(const Process& process, pid_t pid) {
    if (process.io_priority && syscall(SYS_ioprio_set, kIoprioProcess, pid, *process.io_priority) != 0)
        return Error::sys("set I/O priority");
    if (process.scheduler) TRY(set_scheduler(*process.scheduler, pid));
    if (!process.final_cpus.empty()) TRY(set_cpus(process.final_cpus, pid));
    return ok();
}

Status set_limits(const std::vector<Rlimit>& limits) {
    for (const Rlimit& limit : limits) {
        const auto resource = static_cast<__rlimit_resource_t>(limit.resource);
        rlimit now{};
        if (getrlimit(resource, &now) == 0 && now.rlim_cur == limit.soft && now.rlim_max == limit.hard)
            continue;
        const rlimit value{limit.soft, limit.hard};
        if (setrlimit(resource, &value) != 0)
            return Error::sys("set rlimit " + std::to_string(limit.resource));
    }
    return ok();
}

Status set_limits_of(const Process& process, pid_t pid) {
    for (const Rlimit& limit : process.rlimits) {
        const rlimit value{limit.soft, limit.hard};
        if (prlimit(pid, static_cast<__rlimit_resource>(limit.resource), &value, nullptr) != 0)
            return Error::sys("set rlimit " + std::to_string(limit.resource));
    }
    return set_oom_score(process.oom_score_adj, "/proc/" + std::to_string(pid));
}

// set_mempolicy(2) is about the caller only.
Status set_memory_policy(const MemoryPolicy& policy) {
    constexpr size_t kBits = 8 * sizeof(unsigned long);
    std::vector<unsigned long> mask;
    for (const uint32_t node : policy.nodes) {
        if (node >= 1024) return Error::invalid("memory node " + std::to_string(node) + " is out of range");
        if (mask.size() <= node / kBits) mask.resize(node / kBits + 1);
        mask[node / kBits] |= 1ul << (node % kBits);
    }
    const unsigned long bits = mask.size() * kBits + 1;
    if (syscall(SYS_set_mempolicy, policy.mode, mask.empty() ? nullptr : mask.data(),
                mask.empty() ? 0 : bits) != 0)
        return Error::sys("set memory policy");
    return ok();
}

// Raising back to the plan's value is always allowed.
Status set_oom_score(std::optional<int32_t> wanted, const std::string& proc_pid) {
    const std::string path = proc_pid + "/oom_score_adj";
    const std::string text = std::to_string(wanted.value_or(0));
    const std::string now = TRY(read_file(path));
    if (now == text + "\n") return ok();
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    return write_all(fd.get(), text).under("set oom_score_adj " + text);
}

}  // namespace orlop::launch
