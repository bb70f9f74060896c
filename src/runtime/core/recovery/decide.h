// What is to be done at the start, as a pure function of the records and of what is alive.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/state/records.h"
#include "runtime/shim/protocol/protocol.h"

namespace orlop::core {

struct Found {
    std::vector<SandboxRecord> sandboxes;
    std::vector<ContainerRecord> containers;
    std::map<std::string, shim::Snapshot> shims;   // that answered, by sandbox
    std::map<std::string, shim::Exit> exit_files;  // by container
    std::set<std::string> shim_directories;        // names, which are sandbox ids
    std::set<std::string> lost_netns;              // sandboxes whose namespace is gone
    std::vector<std::string> pin_owners;           // containers that hold image layers
};

using SandboxAndContainer = std::pair<std::string, std::string>;

struct Decisions {
    std::vector<std::string> undo;          // sandboxes that were half made: tear down and erase
    std::vector<std::string> kill;          // sandboxes that lost their shim or network: kill, then NotReady
    std::vector<std::string> orphan_shims;  // without a record: end them, remove their directories
    std::vector<ContainerRecord> changed;   // new contents of container records
    std::vector<SandboxAndContainer> forget;          // exits that are on record now
    std::vector<SandboxAndContainer> kill_container;  // run in a live shim, but nobody knows them
    std::vector<std::string> drop;                    // containers without a sandbox
    std::vector<std::string> unpin;                   // owners that are no container
};

// `now` in ns since the epoch, for ends that nobody timed.
Decisions decide(const Found& found, int64_t now);

}  // namespace orlop::core
