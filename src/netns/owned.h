// A network namespace that belongs to a user namespace of its own.
#pragma once

#include <string>

#include "base/result.h"
#include "netns/netns.h"

namespace orlop::netns {

// Both new, the network namespace bound to the file `path`.
Status make_in_user_namespace(const IdRange& uids, const IdRange& gids, const std::string& path);

}  // namespace orlop::netns
