#include "cgroups/container.h"

#include <algorithm>

#include "base/dir.h"
#include "cgroups/driver.h"
#include "cgroups/files.h"
#include "cgroups/membership.h"
#include "cgroups/pod.h"
#include "cgroups/scope_client.h"
#include "cgroups/stats.h"

namespace orlop::cgroups {

namespace {

constexpr std::string_view kSlice = "system.slice";
constexpr std::string_view kPrefix = "orlop";
constexpr const char* kOwnPrefix = "orlop-oci-";

std::string without_extra_slashes(std::string_view path) {
    std::string out;
    for (const char c : path) {
        if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
    }
    while (out.size() > 1 && out.back() == '/') out.pop_back();
    return out;
}

// systemd.unit(5): the characters and the length of a unit's name.
bool is_unit_name(std::string_view name) {
    constexpr std::string_view kOther = ":-_.\\@";
    return !name.empty() && name.size() < 256 && name[0] != '.' &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      kOther.find(c) != std::string_view::npos;
           });
}

Result<ContainerCgroup> locate_unit(const ContainerRequest& request) {
    const std::string given = request.cgroups_path.empty() ? "::" + request.id : request.cgroups_path;
    const size_t first = given.find(':');
    const size_t second = first == std::string::npos ? first : given.find(':', first + 1);
    if (second == std::string::npos || given.find(':', second + 1) != std::string::npos) {
        return Error::invalid("cgroupsPath \"" + given + "\" is not slice:prefix:name, as systemd needs it");
    }
    std::string slice = given.substr(0, first);
    std::string prefix = given.substr(first + 1, second - first - 1);
    const std::string name = given.substr(second + 1);
    if (slice.empty()) slice = kSlice;
    if (request.cgroups_path.empty()) prefix = kPrefix;
    if (!is_unit_name(slice))
        return Error::invalid("cgroupsPath \"" + given + "\": \"" + slice + "\" is no name of a slice");
    if (!name.ends_with(".slice")) {
        const std::string unit = (prefix.empty() ? "" : prefix + "-") + name + ".scope";
        if (name.empty() || !is_unit_name(unit))
            return Error::invalid("cgroupsPath \"" + given + "\": \"" + unit + "\" is no name of a unit");
        return ContainerCgroup{TRY(slice_path_from_unit(slice)) + "/" + unit, unit};
    }
    // A slice's name says where it is (systemd.slice(5)).
    if (!is_unit_name(name) || name == "-.slice")
        return Error::invalid("cgroupsPath \"" + given + "\": \"" + name + "\" is no name of a slice");
    return ContainerCgroup{TRY(slice_path_from_unit(name)), name};
}

Status check_free(const Cgroup& cgroup) {
    if (!TRY(cgroup.processes_recursive()).empty())
        return Error(Kind::Exists, "cgroup " + cgroup.path() + " has processes already");
    if (TRY(cgroup.frozen())) return Error::precondition("cgroup " + cgroup.path() + " is frozen");
    return ok();
}

Result<MadeCgroup> create_by_files(const ContainerCgroup& where, const Hierarchies& h, const Resources& r) {
    const Cgroup cgroup(h, where.path);
    const Leaf leaf = TRY(make_directories(h, where.path));
    if (leaf == Leaf::Existed) TRY(check_free(cgroup));
    auto filled = h.version == Version::V2 ? enable_above(h, where.path) : ok();
    if (filled) filled = cgroup.apply(r);
    if (filled) return MadeCgroup{where, UniqueFd()};
    if (leaf == Leaf::Existed) return std::move(filled).error();
    if (auto undone = cgroup.remove(kRemoveTimeout); !undone)
        return std::move(filled).error().also(undone.error());
    return std::move(filled).error();
}

std::vector<UnitProperty> limits(const Resources& r, const Hierarchies& h) {
    // Only device rules need the names of majors.
    return unit_properties(r, h.version, r.devices.empty() ? "" : read_file("/proc/devices").value_or(""));
}

ScopeRequest unit_request(const ContainerRequest& request, const ContainerCgroup& where,
                          const Hierarchies& h) {
    ScopeRequest out{.unit = where.unit, .properties = accounting_properties()};
    const auto add = [&out](const char* name, UnitValue value) {
        out.properties.push_back({name, std::move(value)});
    };
    out.action = where.unit.ends_with(".slice") ? ScopeAction::Slice : ScopeAction::Create;
    add("Description", "Container " + request.id);
    add("DefaultDependencies", false);
    // systemd's own default is a share of the machine's.
    add("TasksMax", UINT64_MAX);
    if (out.action == ScopeAction::Create) {
        const std::string parent = where.path.substr(0, where.path.rfind('/'));
        add("Slice", parent.empty() ? "-.slice" : parent.substr(parent.rfind('/') + 1));
        add("Delegate", true);
        add("CollectMode", std::string("inactive-or-failed"));
    }
    for (UnitProperty& p : limits(request.resources, h)) out.properties.push_back(std::move(p));
    return out;
}

Result<MadeCgroup> create_by_systemd(const ContainerRequest& request, const ContainerCgroup& where,
                                     const Hierarchies& h) {
    TRY(check_resources(request.resources, h.version));
    UniqueFd hold = TRY(ask_scope_helper(request.scope_helper, unit_request(request, where, h)));
    MadeCgroup made{where, std::move(hold)};
    const Cgroup cgroup(h, where.path);
    auto filled = cgroup.create();
    if (filled) filled = cgroup.apply(request.resources);
    if (filled) return made;
    made.hold.reset();
    if (auto undone = remove_container_cgroup(where, request.scope_helper, h); !undone)
        return std::move(filled).error().also(undone.error());
    return std::move(filled).error();
}

// systemd is told the quota per second, for which a quota alone is not enough.
Result<Resources> with_period(const Cgroup& cgroup, Resources r) {
    if (!r.cpu_quota_us || r.cpu_period_us) return r;
    const std::string dir = TRY(cgroup.directory_of("cpu"));
    const bool v1 = cgroup.hierarchies().version == Version::V1;
    const std::string text = TRY(read_file(dir + (v1 ? "/cpu.cfs_period_us" : "/cpu.max")));
    if (const auto numbers = parse_numbers(text); !numbers.empty()) r.cpu_period_us = numbers.back();
    return r;
}

Status update_by_systemd(const ContainerCgroup& where, const std::string& helper, const Hierarchies& h,
                         const Resources& resources) {
    const Cgroup cgroup(h, where.path);
    const Resources r = TRY(with_period(cgroup, resources));
    TRY(check_resources(r, h.version));
    ScopeRequest request{ScopeAction::Set, where.unit, limits(r, h)};
    if (!request.properties.empty()) TRY(ask_scope_helper(helper, request));
    return cgroup.apply(resources);
}

Status remove_by_systemd(const ContainerCgroup& where, const std::string& helper, const Hierarchies& h) {
    const Cgroup cgroup(h, where.path);
    // systemd would first ask them to end, and wait.
    TRY(cgroup.kill_all(kKillTimeout));
    TRY(ask_scope_helper(helper, {ScopeAction::Stop, where.unit, {}}));
    TRY(cgroup.remove(kRemoveTimeout));
    return forget_slices(h, where.path);
}

Status remove_directories(const Cgroup& cgroup) {
    // Mostly everything has ended: then nothing needs to be looked for.
    auto removed = cgroup.remove(Nanos(0));
    if (removed || removed.error().errnum() != EBUSY) return removed;
    TRY(cgroup.kill_all(kKillTimeout));
    return cgroup.remove(kRemoveTimeout);
}

}  // namespace

Result<ContainerCgroup> locate(const ContainerRequest& request, const Hierarchies& hierarchies,
                               const std::string& own_cgroup) {
    if (request.systemd) return locate_unit(request);
    std::string path = without_extra_slashes(request.cgroups_path);
    if (path.empty() || path[0] != '/') {
        if (path.empty()) path = kOwnPrefix + request.id;
        std::string base = without_extra_slashes(own_cgroup);
        // v2: the runtime's own cgroup has a process, the runtime: it cannot hand controllers down
        // (cgroups(7), no internal processes).
        if (hierarchies.version == Version::V2) base.resize(std::min(base.rfind('/'), base.size()));
        if (base == "/") base.clear();
        path.insert(0, base + "/");
    }
    if (!is_plain(path))
        return Error::invalid("cgroupsPath \"" + request.cgroups_path + "\" is not the path of a cgroup");
    return ContainerCgroup{path, ""};
}

Result<MadeCgroup> create_container_cgroup(const ContainerRequest& request, const Hierarchies& hierarchies) {
    const bool absolute = request.systemd || request.cgroups_path.starts_with('/');
    const std::string own = absolute ? "/" : TRY(current_cgroup(hierarchies));
    const ContainerCgroup where = TRY(locate(request, hierarchies, own));
    return request.systemd ? create_by_systemd(request, where, hierarchies)
                           : create_by_files(where, hierarchies, request.resources);
}

Status update_container_cgroup(const ContainerCgroup& cgroup, const std::string& scope_helper,
                               const Hierarchies& hierarchies, const Resources& resources) {
    if (!cgroup.unit.empty()) return update_by_systemd(cgroup, scope_helper, hierarchies, resources);
    return Cgroup(hierarchies, cgroup.path).apply(resources);
}

Status remove_container_cgroup(const ContainerCgroup& cgroup, const std::string& scope_helper,
                               const Hierarchies& hierarchies) {
    if (!is_plain(cgroup.path)) return ok();
    if (!cgroup.unit.empty()) return remove_by_systemd(cgroup, scope_helper, hierarchies);
    return remove_directories(Cgroup(hierarchies, cgroup.path));
}

}  // namespace orlop::cgroups
