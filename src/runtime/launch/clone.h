// Making the child: clone3(2) with its namespaces, straight into its cgroup; clone(2) where that is missing.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "runtime/launch/handshake.h"
#include "runtime/launch/launch.h"

namespace orlop::launch {

// A namespace to be in, held open.
struct Joined {
    int fd = -1;
    int type = 0;  // CLONE_NEW*
    std::string what;
};

struct CloneRequest {
    uint64_t flags = 0;  // CLONE_NEW* that are made with the child
    std::vector<Joined>
        born_in;  // the caller enters them for the moment of the clone, so that the child is born there
    bool new_time = false;  // a new time namespace with these offsets
    std::vector<TimeOffset> offsets;
    const CgroupJoin* cgroup = nullptr;
    std::function<Status(pid_t)> prepare;  // by the parent, when the child is there but waits
};

using ChildMain = std::function<Status(Channel&)>;

// `child` runs in the child once it is in its cgroup and prepared; it returns only when it failed, and its
// error is reported for it.
Result<Launching> clone_child(const CloneRequest& request, const ChildMain& child);

// From within a child: a sibling of it, with `flags`, that goes on in its place. Returns in the sibling only.
Status continue_as_sibling(uint64_t flags, Channel& channel);

// After continue_as_sibling in the child: takes over the sibling and reaps the first child.
Status await_birth(Launching& launching);

// From the moment that a container's processes can see the caller: not to be traced, nor its memory and
// descriptors opened (CVE-2016-9962). A child of root is so from its birth.
Status become_untraceable();

// setns(2), naming what was joined.
Status join_namespace(const Joined& ns);
// The CLONE_NEW* flag if the namespace is to be made, else 0.
uint64_t flag_if_new(const Namespace& ns, uint64_t flag);

}  // namespace orlop::launch
