// Reading and writing single cgroup files; inside the module only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cgroups/cgroup.h"

namespace orlop::cgroups {

// One write(2): cgroup files take a value whole. The error names file and value.
Status write_value(const std::string& path, std::string_view value);
Result<uint64_t> read_number(const std::string& path);  // "max" = UINT64_MAX
// The number behind `key ` in a flat-keyed file (memory.stat, memory.events, ...); 0 when the key is absent.
Result<uint64_t> read_keyed(const std::string& path, std::string_view key);
// What the two above read; pure, `path` is for the error.
Result<uint64_t> number_in(std::string_view text, const std::string& path);
Result<uint64_t> keyed_in(std::string_view text, std::string_view key, const std::string& path);
bool file_exists(const std::string& path);
// The cgroups directly below one; none when it is missing.
std::vector<std::string> children_of(const std::string& dir);
// "max" on v2 and "-1" on v1 for negative numbers.
std::string limit_text(int64_t limit, Version version);

struct Write {
    std::string path, value;
};
// Values that bound each other (memory below memory+swap, burst below quota) can be moved in one order only,
// and which one depends on what is set: what the kernel refuses with EINVAL is tried again after the others.
Status write_in_some_order(std::vector<Write> writes);

// What the version of this host cannot do at all, named as OCI's config.json has it under linux.resources.
// Pure.
Status check_resources(const Resources& resources, Version version);
// One controller each; `dir` holds its files. Called only when something of it is set.
Status apply_cpu(const std::string& dir, Version version, const Resources& resources);
Status apply_cpuset(const std::string& dir, const Resources& resources);
Status apply_memory(const std::string& dir, Version version, const Resources& resources);
Status apply_pids(const std::string& dir, const Resources& resources);
Status apply_io(const std::string& dir, Version version, const Resources& resources);
Status apply_hugetlb(const std::string& dir, Version version, const Resources& resources);
Status apply_rdma(const std::string& dir, const Resources& resources);
Status apply_net_class(const std::string& dir, const Resources& resources);
Status apply_net_priority(const std::string& dir, const Resources& resources);
// The line of io.max, or "" when nothing is limited. Pure.
std::string io_max_line(const IoDevice& device);
Status apply_devices_v1(const std::string& dir, const std::vector<DeviceRule>& rules);
Status apply_devices_v2(const std::string& dir, const std::vector<DeviceRule>& rules);

// Existed: some hierarchy had the last directory of the path already.
enum class Leaf { Fresh, Existed };
// The directories of `path` in every hierarchy, made with their parents; no controller is enabled.
Result<Leaf> make_directories(const Hierarchies& h, const std::string& path);
// v2: hands the controllers that `dir` has down to its children (cgroup.subtree_control). Unless `complete`,
// none of them has to be there.
Status enable_controllers(const std::string& dir, bool complete);
// v2: the same for every directory above `path`.
Status enable_above(const Hierarchies& h, const std::string& path);

// Thaws a v1 freezer's directory and all below it, without waiting; missing is fine.
void thaw_below(const std::string& dir);
// The v1 freezer's directory of a cgroup, or "".
std::string freezer_v1(const Cgroup& cgroup);

// v1: directories of the slices above `path` that we made in hierarchies unknown to systemd go when the last
// unit in them has gone. Nothing on v2.
Status forget_slices(const Hierarchies& h, std::string path);

// Whether it may be a cgroup's path: absolute, with no "..", "." or empty part, not the root.
bool is_plain(std::string_view path);

}  // namespace orlop::cgroups
