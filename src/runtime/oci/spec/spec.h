// config.json of an OCI bundle (runtime-spec 1.3) in, launch plan and limits out. Pure: no I/O; errors are
// Invalid and name the JSON path ("process.rlimits[2].type"), or Unimplemented for what this runtime does not
// have.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cgroups/resources.h"
#include "runtime/launch/plan.h"

namespace orlop::oci {

// What the translation has to know of the machine and of the command line.
struct HostFacts {
    bool cgroup_v2 = true;
    std::vector<launch::CgroupMount> v1_mounts;  // hierarchies to show in containers; v1 only
    uint64_t capabilities = 0;                   // our own bounding set: more cannot be given
    bool no_pivot = false;                       // --no-pivot
};

struct Hooks {
    // Run by the runtime in its own namespaces; those of the container's are in LaunchPlan.
    std::vector<launch::Hook> prestart, create_runtime, poststart, poststop;
};

struct ContainerSpec {
    std::string version;                             // ociVersion
    std::map<std::string, std::string> annotations;  // as given
    // Complete but for: id, cgroup, process.seccomp.filter (see seccomp_profile), staging_dir, preserve_fds.
    // root.path is absolute (a relative one is the bundle's).
    launch::LaunchPlan plan;
    std::string
        seccomp_profile;       // linux.seccomp as JSON text, "" = unconfined; seccomp/profile.h compiles it
    std::string cgroups_path;  // linux.cgroupsPath as given; "" = the runtime's choice
    cgroups::Resources resources;
    Hooks hooks;
};

// `bundle` is the bundle's absolute path.
Result<ContainerSpec> parse_spec(std::string_view config_json, const std::string& bundle,
                                 const HostFacts& facts);

// A process object by itself: `exec --process FILE`.
Result<launch::Process> parse_process(std::string_view process_json, const HostFacts& facts);

// A LinuxResources object by itself: `update --resources FILE`. Device rules are not part of an update.
Result<cgroups::Resources> parse_resources(std::string_view resources_json);

// `features` (runtime-spec features.md) and `spec` (the bundle that a user starts from).
std::string features_json();
std::string default_config_json(bool rootless);

}  // namespace orlop::oci
