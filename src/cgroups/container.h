// The cgroup of one OCI container: where linux.cgroupsPath puts it, and who makes it. Static-safe: systemd is
// asked by a helper program (orlop-scope), because orlop-oci links no libsystemd.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "cgroups/cgroup.h"

namespace orlop::cgroups {

struct ContainerRequest {
    std::string id;
    std::string cgroups_path;  // cgroupfs: absolute or relative to the runtime's own; systemd:
                               // "slice:prefix:name"; "" = chosen
    bool systemd = false;      // --systemd-cgroup
    std::string scope_helper;  // systemd: path of orlop-scope
    Resources resources;
};

// What is kept in the container's state, so that a later command finds and removes it.
struct ContainerCgroup {
    std::string path;  // relative to every hierarchy's mount, for Cgroup
    std::string unit;  // systemd: "prefix-name.scope"; "" = cgroupfs
};

// A cgroup just made. A systemd scope without a process ends at once, so the helper that made it stays inside
// as a member until `hold` is closed by this process (copies in its children do not count): close it once the
// container's first process has joined.
struct MadeCgroup {
    ContainerCgroup cgroup;
    UniqueFd hold;  // empty with cgroupfs
};

// Where it will be; pure. `own_cgroup` as current_cgroup() (membership.h) gives it: relative paths begin
// there on v1 and beside it on v2, as runc has it. "" is "orlop-oci-<id>" there or, with systemd,
// "system.slice:orlop:<id>"; a name ending in ".slice" is a slice. Invalid: "..", "/" alone, a unit name that
// systemd.unit(5) does not know.
Result<ContainerCgroup> locate(const ContainerRequest& request, const Hierarchies& hierarchies,
                               const std::string& own_cgroup);
// Makes it with its limits and device rules. Exists when there is one with processes in it.
Result<MadeCgroup> create_container_cgroup(const ContainerRequest& request, const Hierarchies& hierarchies);
// systemd: SetUnitProperties, then the files; otherwise the files.
Status update_container_cgroup(const ContainerCgroup& cgroup, const std::string& scope_helper,
                               const Hierarchies& hierarchies, const Resources& resources);
// Kills what is left, removes it (systemd: StopUnit, ResetFailedUnit too); missing is fine.
Status remove_container_cgroup(const ContainerCgroup& cgroup, const std::string& scope_helper,
                               const Hierarchies& hierarchies);

}  // namespace orlop::cgroups
