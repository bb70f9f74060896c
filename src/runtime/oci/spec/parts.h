// The parts that parse_spec is put together from, one file a subject. For this directory only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/oci/spec/field.h"
#include "runtime/oci/spec/spec.h"

namespace orlop::oci {

// namespaces.cpp: linux.namespaces, id maps, time offsets, rootfsPropagation.
Status read_namespaces(const Field& linux_part, launch::LaunchPlan& plan);
Result<std::vector<launch::IdMap>> read_id_maps(const Field& list);

// mounts.cpp
Status read_mounts(const Field& list, const std::string& bundle, launch::LaunchPlan& plan);
// mount_options.cpp: applies one option of mount(8) to `mount`; what is none of ours goes to the filesystem.
Status apply_option(const std::string& option, launch::Mount& mount, const Field& where);
std::vector<std::string> mount_option_names();

// devices.cpp: linux.devices with the default ones, and what the device controller allows.
Status read_devices(const Field& linux_part, ContainerSpec& spec);

// resources.cpp
Status read_resources(const Field& resources, cgroups::Resources& out);

// process.cpp
Result<launch::Process> read_process(const Field& process, const HostFacts& facts);
// scheduling.cpp: scheduler, ioPriority, execCPUAffinity
Status read_scheduling(const Field& process, launch::Process& out);
// "0-3,7" of cpuset(7)
Result<std::vector<uint32_t>> read_cpu_list(const Field& list);

// linux.cpp: the rest of the linux object.
Status read_linux(const Field& linux_part, ContainerSpec& spec);

// hooks.cpp
Status read_hooks(const Field& hooks, ContainerSpec& spec);

// An absolute path, cleaned by text ("//", "/./", "/../"); relative ones count from "/".
std::string clean_absolute(std::string_view path);

}  // namespace orlop::oci
