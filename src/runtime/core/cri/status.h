// What the runtime says about itself.
#pragma once

#include <string>

#include "cgroups/driver.h"
#include "cri/api.pb.h"
#include "netns/cni.h"
#include "runtime/core/networks.h"

namespace orlop::core {

namespace cri = ::runtime::v1;

cri::VersionResponse version();
// `config_json`: the daemon's settings, for verbose.
cri::StatusResponse runtime_status(Networks& networks, const netns::CniRunner& cni,
                                   const std::string& config_json, bool verbose);
cri::RuntimeConfigResponse runtime_config(const cgroups::Driver& driver);

}  // namespace orlop::core
