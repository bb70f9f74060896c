// What the agent looks up about its node once, at start.
#pragma once

#include <string>

#include "agent/decide/plan.h"
#include "agent/node/options.h"
#include "base/unique_fd.h"

namespace orlop::agent {

// The address by which the node reaches others; 127.0.0.1 if it reaches nobody.
std::string find_node_ip();
// Everything but the cgroup driver's name.
Result<NodeFacts> gather_facts(const Options& options, bool cgroup_v2);

// The lock that keeps a second agent off the same root directory; Exists if there is one.
Result<UniqueFd> lock_root(const Paths& paths);
// Root, and directories that nobody else can write; each error says what to do.
Status check_host(const Options& options);

}  // namespace orlop::agent
