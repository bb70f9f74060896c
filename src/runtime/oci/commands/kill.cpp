#include <signal.h>
#include <sys/syscall.h>

#include "runtime/oci/commands.h"
#include "runtime/oci/signals.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

namespace {

// A process that is gone has no need of the signal.
Status signal_one(pid_t pid, int signal) {
    auto held = ProcessHandle::open(pid);
    const Status sent = held ? held->signal(signal) : Status(std::move(held).error());
    return sent || sent.error().kind() == Kind::NotFound ? ok() : sent;
}

// Frozen, so that none of them makes another one unseen (v1; the first process is signalled with the rest).
Status signal_all(const cgroups::Cgroup& cgroup, int signal) {
    if (signal == SIGKILL) return cgroup.kill_all(kKillTimeout);
    const bool was_frozen = cgroup.frozen().value_or(false);
    if (!was_frozen) TRY(cgroup.freeze(kKillTimeout));
    Status result = ok();
    auto pids = cgroup.processes_recursive();
    if (!pids) result = std::move(pids).error();
    for (const pid_t pid : pids.value_or({})) {
        if (auto r = signal_one(pid, signal); !r) result = std::move(r);
    }
    if (!was_frozen) TRY(cgroup.thaw(kKillTimeout));
    return result;
}

}  // namespace

Result<int> kill_command(const Call& call) {
    const KillOptions options = TRY(parse_kill(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const int signal = TRY(parse_signal(options.signal));
    const ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(options.id))));
    const Record record = TRY(dir.record());
    const ProcessHandle first = open_first_process(record);
    // Without a pid namespace of its own, a container's processes outlive its first one.
    if (options.all || (signal == SIGKILL && !record.own_pid_namespace)) {
        const auto hierarchies = TRY(cgroups::detect_any());
        const cgroups::Cgroup cgroup(hierarchies, record.cgroup.path);
        if (!first && !cgroup.exists()) return Error::precondition("container not running");
        TRY(signal_all(cgroup, signal));
        return 0;
    }
    if (!first) return Error::precondition("container not running");
    const Status sent = first.signal(signal);
    if (sent) return 0;
    if (sent.error().kind() == Kind::NotFound) return Error::precondition("container not running");
    return Status(sent).error().under("kill container " + options.id);
}

}  // namespace orlop::oci
