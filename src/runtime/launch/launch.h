// The executor: applies a plan. The caller is a small single-threaded process (the shim, orlop-oci), because
// code of ours runs in the child between clone and exec.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

// The pod's namespaces, held open; empty where it has none of its own.
struct SandboxNamespaces {
    UniqueFd pid, ipc, uts;
};

// -1 = /dev/null. With Process::terminal they are ignored and Launching::terminal is filled by finish().
struct Stdio {
    int in = -1, out = -1, err = -1;
};

// Who the process became, told just before exec.
struct Identity {
    uint32_t uid = 0, gid = 0;
    std::vector<uint32_t> groups;
};

// A process on its way to exec: `report` becomes readable when there is news. The caller reaps the pid in any
// case.
struct Launching {
    pid_t pid = -1;
    UniqueFd report;
    UniqueFd terminal;  // the pseudo-terminal's controlling side
    Identity identity;
    bool identified = false;  // it came as far as the last step before exec
};

// Starts the container's first process up to exec. Returns at once; the child works on its own.
Result<Launching> launch_container(const LaunchPlan& plan, const Stdio& io, const SandboxNamespaces& pod);

// A further process beside `init`: its namespaces, its root.
Result<Launching> launch_exec(const ExecPlan& plan, const Stdio& io, pid_t init);

// The pod's own process: namespaces as planned, an empty root, then `program` (a memfd) is executed.
Result<Launching> launch_pause(const PausePlan& plan, int program);

// Takes what `report` has: ok once exec has happened, Unavailable while it has not, otherwise the child's
// error with step, path and errno.
Status finish(Launching& launching);

}  // namespace orlop::launch
