#include "runtime/core/cri/runtime_spec.h"

#include <linux/mount.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "runtime/launch/capability_names.h"

namespace orlop::core {

namespace {

using launch::NsFrom;
using nlohmann::json;

constexpr const char* kSpecVersion = "1.2.0";

json names_of(uint64_t capabilities) {
    json names = json::array();
    for (unsigned number = 0; number < 64; ++number) {
        const std::string_view name = launch::capability_name(number);
        if ((capabilities >> number & 1) != 0 && !name.empty()) names.push_back("CAP_" + std::string(name));
    }
    return names;
}

json process_of(const launch::Process& p, const ContainerRecord& record) {
    json user = {{"umask", p.umask}};
    if (record.started_at != 0) {
        user.update({{"uid", record.uid}, {"gid", record.gid}, {"additionalGids", record.groups}});
    } else {
        user.update({{"uid", p.user.uid.value_or(0)}, {"gid", p.user.gid.value_or(0)}});
        if (!p.user.groups.empty()) user["additionalGids"] = p.user.groups;
        if (!p.user.user.empty()) user["username"] = p.user.user;
    }
    json out = {{"terminal", p.terminal},
                {"user", std::move(user)},
                {"args", p.argv},
                {"env", p.env},
                {"cwd", p.cwd},
                {"capabilities",
                 {{"bounding", names_of(p.capabilities.bounding)},
                  {"effective", names_of(p.capabilities.effective)},
                  {"permitted", names_of(p.capabilities.permitted)},
                  {"inheritable", names_of(p.capabilities.inheritable)},
                  {"ambient", names_of(p.capabilities.ambient)}}},
                {"noNewPrivileges", p.no_new_privileges}};
    for (const launch::Rlimit& limit : p.rlimits) {
        if (limit.resource == RLIMIT_NOFILE)
            out["rlimits"].push_back({{"type", "RLIMIT_NOFILE"}, {"soft", limit.soft}, {"hard", limit.hard}});
    }
    if (p.oom_score_adj) out["oomScoreAdj"] = *p.oom_score_adj;
    if (!p.apparmor_profile.empty()) out["apparmorProfile"] = p.apparmor_profile;
    if (!p.selinux_label.empty()) out["selinuxLabel"] = p.selinux_label;
    return out;
}

json mappings_of(const std::vector<launch::IdMap>& maps) {
    json out = json::array();
    for (const launch::IdMap& m : maps)
        out.push_back({{"containerID", m.inside}, {"hostID", m.outside}, {"size", m.size}});
    return out;
}

const char* name_of(launch::Propagation propagation) {
    switch (propagation) {
        case launch::Propagation::Private:
            return "rprivate";
        case launch::Propagation::Slave:
            return "rslave";
        case launch::Propagation::Shared:
            return "rshared";
        case launch::Propagation::Unbindable:
            return "runbindable";
    }
    return "";
}

json options_of(const launch::Mount& m) {
    constexpr std::pair<uint64_t, const char*> kNames[] = {
        {MOUNT_ATTR_NOSUID, "nosuid"},           {MOUNT_ATTR_NODEV, "nodev"},
        {MOUNT_ATTR_NOEXEC, "noexec"},           {MOUNT_ATTR_NOATIME, "noatime"},
        {MOUNT_ATTR_STRICTATIME, "strictatime"}, {MOUNT_ATTR_NODIRATIME, "nodiratime"},
        {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"}};
    json out = json::array();
    if (m.type == "bind") {
        out.push_back(m.recursive ? "rbind" : "bind");
        out.push_back(name_of(m.propagation));
    }
    for (const auto& [attribute, name] : kNames) {
        if ((m.attributes & attribute) != 0) out.push_back(name);
    }
    out.push_back((m.attributes & MOUNT_ATTR_RDONLY) != 0 ? "ro" : "rw");
    if ((m.recursive_attributes & MOUNT_ATTR_RDONLY) != 0) out.push_back("rro");
    if (m.idmap) out.push_back("idmap");
    for (const auto& [key, value] : m.options) out.push_back(value.empty() ? key : key + "=" + value);
    return out;
}

json mounts_of(const launch::LaunchPlan& plan) {
    json out = json::array();
    for (const launch::Mount& m : plan.mounts) {
        json mount = {{"destination", m.target},
                      {"type", m.type == "image" ? "overlay" : m.type},
                      {"source", m.source},
                      {"options", options_of(m)}};
        if (!m.uid_map.empty()) mount["uidMappings"] = mappings_of(m.uid_map);
        if (!m.gid_map.empty()) mount["gidMappings"] = mappings_of(m.gid_map);
        out.push_back(std::move(mount));
    }
    return out;
}

// The host's are those that are not listed.
void add_namespace(json& list, const char* type, const launch::Namespace& ns) {
    if (ns.from == NsFrom::Host) return;
    json one = {{"type", type}};
    if (!ns.path.empty()) one["path"] = ns.path;
    list.push_back(std::move(one));
}

json namespaces_of(const launch::LaunchPlan& plan) {
    json list = json::array();
    add_namespace(list, "pid", plan.pid);
    add_namespace(list, "network", plan.net);
    add_namespace(list, "ipc", plan.ipc);
    add_namespace(list, "uts", plan.uts);
    add_namespace(list, "mount", plan.mount_namespace);
    add_namespace(list, "cgroup", plan.cgroup_namespace);
    add_namespace(list, "user", plan.user);
    return list;
}

json devices_of(const launch::LaunchPlan& plan) {
    json out = json::array();
    for (const launch::DeviceNode& d : plan.devices) {
        out.push_back({{"path", d.path},
                       {"type", std::string(1, d.type)},
                       {"major", d.major},
                       {"minor", d.minor},
                       {"fileMode", d.mode},
                       {"uid", d.uid},
                       {"gid", d.gid}});
    }
    return out;
}

json resources_of(const cri::LinuxContainerResources& r) {
    json out = json::object();
    if (r.cpu_shares() != 0) out["cpu"]["shares"] = r.cpu_shares();
    if (r.cpu_quota() != 0) out["cpu"]["quota"] = r.cpu_quota();
    if (r.cpu_period() != 0) out["cpu"]["period"] = r.cpu_period();
    if (!r.cpuset_cpus().empty()) out["cpu"]["cpus"] = r.cpuset_cpus();
    if (!r.cpuset_mems().empty()) out["cpu"]["mems"] = r.cpuset_mems();
    if (r.memory_limit_in_bytes() != 0) out["memory"]["limit"] = r.memory_limit_in_bytes();
    if (r.memory_swap_limit_in_bytes() != 0) out["memory"]["swap"] = r.memory_swap_limit_in_bytes();
    for (const auto& limit : r.hugepage_limits())
        out["hugepageLimits"].push_back({{"pageSize", limit.page_size()}, {"limit", limit.limit()}});
    for (const auto& [file, content] : r.unified()) out["unified"][file] = content;
    return out;
}

template <class Map>
json texts_of(const Map& map) {
    json out = json::object();
    for (const auto& [key, value] : map) out[key] = value;
    return out;
}

}  // namespace

json runtime_spec(const launch::LaunchPlan& plan, const ContainerRecord& record) {
    json linux_part = {{"namespaces", namespaces_of(plan)},
                       {"devices", devices_of(plan)},
                       {"resources", resources_of(record.config.linux().resources())},
                       {"sysctl", texts_of(plan.sysctls)},
                       {"maskedPaths", plan.masked_paths},
                       {"readonlyPaths", plan.readonly_paths}};
    if (!plan.uid_map.empty()) linux_part["uidMappings"] = mappings_of(plan.uid_map);
    if (!plan.gid_map.empty()) linux_part["gidMappings"] = mappings_of(plan.gid_map);
    return {{"ociVersion", kSpecVersion},
            {"process", process_of(plan.process, record)},
            {"root", {{"path", "rootfs"}, {"readonly", plan.root.readonly}}},
            {"hostname", plan.hostname},
            {"mounts", mounts_of(plan)},
            {"annotations", texts_of(record.config.annotations())},
            {"linux", std::move(linux_part)}};
}

json runtime_spec(const SandboxRecord& r) {
    json namespaces = json::array({{{"type", "ipc"}}, {{"type", "mount"}}, {{"type", "pid"}}});
    if (!r.netns.empty()) {
        namespaces.push_back({{"type", "network"}, {"path", r.netns}});
        namespaces.push_back({{"type", "uts"}});
    }
    return {{"ociVersion", kSpecVersion},
            {"hostname", r.config.hostname()},
            {"root", {{"path", "rootfs"}, {"readonly", true}}},
            {"annotations", texts_of(r.config.annotations())},
            {"linux",
             {{"cgroupsPath", r.cgroup_path},
              {"namespaces", std::move(namespaces)},
              {"sysctl", texts_of(r.config.linux().sysctls())},
              {"resources", resources_of(r.config.linux().resources())}}}};
}

}  // namespace orlop::core
