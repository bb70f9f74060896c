// What runs, in the terms of the OCI runtime specification, for the verbose `info` of containers and
// sandboxes. It is made from the plan that is carried out; nothing reads it back.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "runtime/core/state/records.h"
#include "runtime/launch/plan.h"

namespace orlop::core {

nlohmann::json runtime_spec(const launch::LaunchPlan& plan, const ContainerRecord& record);
nlohmann::json runtime_spec(const SandboxRecord& record);

}  // namespace orlop::core
