// Starting a pod's shim: the outside world, faked in tests.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::core {

class ShimLauncher {
  public:
    virtual ~ShimLauncher() = default;
    // Returns when the shim listens on <dir>/shim.sock; it is then nobody's child. Errors carry what it
    // wrote.
    virtual Status launch(const std::string& dir, const std::string& sandbox_id) = 0;
};

// `program`: path of orlop-shim.
std::unique_ptr<ShimLauncher> make_shim_launcher(std::string program, Nanos timeout);

}  // namespace orlop::core
