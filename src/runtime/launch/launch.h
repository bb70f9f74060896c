// The executor: applies a plan. The caller is a small single-threaded process (the shim, orlop-oci), because
// code of ours runs in the child between clone and exec.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/plan.h"
#include "runtime/launch/protocol_order.h"

namespace orlop::launch {

// The pod's namespaces, held open; empty where it has none of its own.
struct SandboxNamespaces {
    UniqueFd pid, ipc, uts, user;
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

// How a launch with hooks, or one that is created now and started later, differs from a plain one.
struct Pauses {
    bool hooks = false;  // stop at Stage::Hooks; needed too when the plan has hooks of its own
    int gate = -1;       // stop at Stage::Created until somebody opens this gate (gate.h)
};

// How far a starting process came.
enum class Stage : uint8_t {
    Working,  // no news
    Hooks,    // its namespaces and mounts are there, pivot_root is not: runtime hooks may run, then proceed()
    Created,  // all but exec is done; it waits at its gate, for whoever opens it
    Running,  // exec has happened
};

// A process on its way to exec: `report` becomes readable when there is news. The caller reaps the pid in any
// case.
struct Launching {
    pid_t pid = -1;
    UniqueFd report;
    UniqueFd terminal;  // the pseudo-terminal's controlling side
    Identity identity;
    bool identified = false;  // it came as far as the last step before exec
    Stage stage = Stage::Working;
    Order order;
};

// Starts the container's first process up to exec. Returns at once; the child works on its own.
Result<Launching> launch_container(const LaunchPlan& plan, const Stdio& io, const SandboxNamespaces& pod,
                                   const Pauses& pauses = {});

// A further process beside `init`: its namespaces, its root. `state` as for proceed(), for a seccomp
// listener.
Result<Launching> launch_exec(const ExecPlan& plan, const Stdio& io, pid_t init,
                              const std::string& state = {});

// The pod's own process: namespaces as planned, an empty root, then `program` (a memfd) is executed.
Result<Launching> launch_pause(const PausePlan& plan, int program);

// Takes what `report` has, without waiting: the stage it came to, or the child's error with step, path and
// errno. Working only when nothing has come.
Result<Stage> advance(Launching& launching);
// Lets a child at Stage::Hooks go on. `state` is the OCI state JSON of the container for the hooks that the
// child runs and for a seccomp listener.
Status proceed(Launching& launching, const std::string& state);

// For callers that only want to know of exec: ok once it has happened, Unavailable while it has not,
// otherwise the child's error.
Status finish(Launching& launching);

}  // namespace orlop::launch
