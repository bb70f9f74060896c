// Which directories belong to a node: `up` marks them, `down --purge` removes only what is marked.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/node_paths.h"

namespace orlop::cli {

// The file that marks a directory; it holds the node's name.
inline constexpr const char* kMarker = ".orlop-node";

// Makes `path` if it is missing and marks it. A directory that somebody else uses (not marked, with anything
// in it but `allowed`) is a Precondition error; so is a mark of another node, a symlink, an owner other than
// us.
Status claim_dir(const std::string& path, const std::string& node, const std::vector<std::string>& allowed);

// Removes the whole tree at `path` if it is marked for `node`; missing is fine. Mounts in it are an error.
Status purge_dir(const std::string& path, const std::string& node);

// The directories of a node that is not the default one: run, state, pod logs.
Status claim_node(const NodePaths& paths);

}  // namespace orlop::cli
