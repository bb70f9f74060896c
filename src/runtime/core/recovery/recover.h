// From the directories and what is alive to a running daemon: the same after a crash, a restart and a reboot.
#pragma once

#include <functional>
#include <string>

#include "runtime/core/parts.h"

namespace orlop::core {

// To be called once, before any client is served. Problems with single pods are reported and worked around;
// an error means that nothing can be served.
Status recover(Parts& parts, const std::function<void(const std::string&)>& report);

}  // namespace orlop::core
