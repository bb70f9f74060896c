// Making the child: clone3(2) with its namespaces, straight into its cgroup.
#pragma once

#include <functional>

#include "base/result.h"
#include "runtime/launch/launch.h"

namespace orlop::launch {

struct CloneRequest {
    uint64_t flags = 0;      // CLONE_NEW* that are made with the child
    int pid_namespace = -1;  // an nsfs fd or pidfd: the child starts in that pid namespace
    const CgroupJoin* cgroup = nullptr;
};

// `child` runs in the child once it is in its cgroup, with the reporting socket; it returns only when it
// failed, and its error is reported for it.
Result<Launching> clone_child(const CloneRequest& request, const std::function<Status(int report)>& child);

// setns(2), naming what was joined.
Status join_namespace(int fd, int type, const std::string& what);
// The CLONE_NEW* flag if the namespace is to be made, else 0.
uint64_t flag_if_new(const Namespace& ns, uint64_t flag);
// Joins what is to be joined by path, or the pod's `sandbox` fd.
Status join_if_asked(const Namespace& ns, int sandbox, int type, const std::string& what);

}  // namespace orlop::launch
