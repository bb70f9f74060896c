// Who a process runs as: the container's own passwd(5) and group(5), read inside its root.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/launch/launch.h"

namespace orlop::launch {

struct Resolved {
    Identity identity;
    std::string home = "/";  // of passwd; "/" when there is no entry
};

// Pure. Numbers are range-checked (uid_t without -1); a name without an entry is an Invalid error naming it.
Result<Resolved> resolve_user(const User& user, std::string_view passwd, std::string_view group);

// As resolve_user, with /etc/passwd and /etc/group beneath `root` (missing = empty, 1 MiB at most each).
Result<Resolved> resolve_user_in(int root, const User& user);

// The switch itself, in the order the kernel needs: bounding set, groups, ids, no_new_privs, seccomp,
// capabilities. `listener` and `state` are for a filter with a listener (-1 = none).
Status become(const Process& process, const Identity& identity, int listener = -1,
              const std::string& state = {});

}  // namespace orlop::launch
