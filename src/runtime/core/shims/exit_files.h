// The exit records that a shim leaves in <its directory>/exits, readable after its death.
#pragma once

#include <string>
#include <vector>

#include "runtime/shim/protocol/protocol.h"

namespace orlop::core {

// Those that can be read; a record cut short by a power cut tells nothing and is skipped.
std::vector<shim::Exit> read_exit_files(const std::string& shim_dir);

}  // namespace orlop::core
