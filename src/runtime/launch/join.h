// Which namespaces a child is born in, which it makes, and which it joins by itself.
#pragma once

#include <vector>

#include "base/result.h"
#include "runtime/launch/clone.h"
#include "runtime/launch/plan.h"

namespace orlop::launch {

// Whether it is there already, to be joined.
inline bool is_joined(const Namespace& ns) {
    return ns.from != NsFrom::Host && ns.from != NsFrom::New;
}

// Open descriptors of namespaces to be joined, by type.
class Joins {
  public:
    // Opens what the plan names by path, and takes the pod's where it says so. Errors name the namespace.
    static Result<Joins> open(const LaunchPlan& plan, const SandboxNamespaces& pod);

    // What the parent enters before the clone: pid and time always; the rest too when the child is born in a
    // user namespace of its own, from where it could not.
    std::vector<Joined> born_in() const;
    // The others, by the child. With a user namespace to join: those before it that allow it, then it, then
    // the rest.
    Status join_in_child() const;
    // The user namespace to join, -1 if there is none.
    int user() const { return user_; }

  private:
    Status add(const Namespace& ns, int pods, int type, const char* name);
    Status add_owner_of_network();
    std::vector<UniqueFd> opened_;
    std::vector<Joined> all_;
    bool new_user_ = false;
    int user_ = -1;
};

// Root of the user namespace that the caller is in now: ids 0, no groups. Fine if 0 is not mapped there.
Status become_namespace_root();

// Every namespace of `init` that a further process of the container shares; the pid namespace is not among
// them.
class InitNamespaces {
  public:
    static Result<InitNamespaces> open(pid_t init);
    Joined pid() const { return pid_; }
    Status join() const;

  private:
    UniqueFd pidfd_;
    std::vector<UniqueFd> opened_;
    std::vector<Joined> joins_;  // in this order
    Joined pid_;
    bool user_differs_ = false;
    UniqueFd root_;  // /proc/INIT/root: differs from the mount namespace's when it was not pivoted
};

}  // namespace orlop::launch
