// What the runtime says about itself.
#pragma once

#include <string>

#include "cgroups/driver.h"
#include "cri/api.pb.h"
#include "netns/cni.h"
#include "runtime/core/networks.h"
#include "runtime/plan/plan.h"

namespace orlop::core {

namespace cri = ::runtime::v1;

cri::VersionResponse version();
// `config_json`: the daemon's settings, for verbose.
cri::StatusResponse runtime_status(Networks& networks, const netns::CniRunner& cni,
                                   const plan::NodeFacts& facts, const std::string& config_json,
                                   bool verbose);
// Whether RunPodSandbox knows the handler; "" is the default.
bool is_handler(const std::string& name);
cri::RuntimeConfigResponse runtime_config(const cgroups::Driver& driver);

}  // namespace orlop::core
