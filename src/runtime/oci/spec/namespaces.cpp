#include <algorithm>

#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

using launch::LaunchPlan;
using launch::Namespace;
using launch::NsFrom;

Namespace* by_type(LaunchPlan& plan, const std::string& type) {
    if (type == "pid") return &plan.pid;
    if (type == "network") return &plan.net;
    if (type == "mount") return &plan.mount_namespace;
    if (type == "ipc") return &plan.ipc;
    if (type == "uts") return &plan.uts;
    if (type == "user") return &plan.user;
    if (type == "cgroup") return &plan.cgroup_namespace;
    if (type == "time") return &plan.time;
    return nullptr;
}

Status read_list(const Field& list, LaunchPlan& plan) {
    for (Namespace* ns : {&plan.pid, &plan.net, &plan.mount_namespace, &plan.ipc, &plan.uts, &plan.user,
                          &plan.cgroup_namespace, &plan.time})
        *ns = {};
    std::vector<std::string> seen;
    for (const Field& from : TRY(list.items())) {
        const std::string type = TRY(from["type"].required_text());
        Namespace* ns = by_type(plan, type);
        if (ns == nullptr) return from["type"].wrong("unknown namespace \"" + type + "\"");
        if (std::find(seen.begin(), seen.end(), type) != seen.end())
            return from.wrong("a second " + type + " namespace");
        seen.push_back(type);
        ns->path = TRY(from["path"].text_or(""));
        if (!ns->path.empty() && ns->path.front() != '/') return from["path"].wrong("must be absolute");
        ns->from = ns->path.empty() ? NsFrom::New : NsFrom::Path;
    }
    if (plan.mount_namespace.from == NsFrom::Host) return list.wrong("a container needs a mount namespace");
    return ok();
}

Status read_time_offsets(const Field& offsets, LaunchPlan& plan) {
    for (const auto& [clock, from] : TRY(offsets.members())) {
        if (clock != "monotonic" && clock != "boottime") return from.wrong("no such clock");
        launch::TimeOffset out{.clock = clock};
        out.seconds = TRY(from["secs"].integer(INT64_MIN, INT64_MAX)).value_or(0);
        out.nanoseconds = static_cast<uint32_t>(TRY(from["nanosecs"].natural(999'999'999)).value_or(0));
        plan.time_offsets.push_back(std::move(out));
    }
    if (!plan.time_offsets.empty() && plan.time.from != NsFrom::New)
        return offsets.wrong("needs a new time namespace");
    return ok();
}

Status read_propagation(const Field& from, launch::Root& root) {
    const std::string name = TRY(from.text_or(""));
    if (name.empty()) return ok();
    constexpr std::pair<std::string_view, launch::Propagation> kNames[] = {
        {"private", launch::Propagation::Private},
        {"slave", launch::Propagation::Slave},
        {"shared", launch::Propagation::Shared},
        {"unbindable", launch::Propagation::Unbindable}};
    for (const auto& [plain, propagation] : kNames) {
        const bool recursive = name == "r" + std::string(plain);
        if (name != plain && !recursive) continue;
        root.propagation = propagation;
        root.recursive_propagation = recursive;
        return ok();
    }
    return from.wrong("\"" + name +
                      "\" is not private, slave, shared or unbindable, with r before it or not");
}

}  // namespace

Result<std::vector<launch::IdMap>> read_id_maps(const Field& list) {
    std::vector<launch::IdMap> out;
    for (const Field& from : TRY(list.items())) {
        const auto number = [&](const char* key) -> Result<uint32_t> {
            const auto value = TRY(from[key].natural(UINT32_MAX));
            if (!value) return from[key].wrong("is missing");
            return static_cast<uint32_t>(*value);
        };
        const launch::IdMap map{TRY(number("containerID")), TRY(number("hostID")), TRY(number("size"))};
        const uint64_t longest = UINT32_MAX - std::max<uint64_t>(map.inside, map.outside);
        if (map.size == 0 || map.size > longest)
            return from["size"].wrong("must be from 1 to what fits into 32 bits");
        out.push_back(map);
    }
    return out;
}

Status read_namespaces(const Field& from, LaunchPlan& plan) {
    TRY(read_list(from["namespaces"], plan));
    plan.uid_map = TRY(read_id_maps(from["uidMappings"]));
    plan.gid_map = TRY(read_id_maps(from["gidMappings"]));
    const bool mapped = !plan.uid_map.empty() || !plan.gid_map.empty();
    if (plan.user.from == NsFrom::New && (plan.uid_map.empty() || plan.gid_map.empty()))
        return from["uidMappings"].wrong("a new user namespace needs uidMappings and gidMappings");
    if (mapped && plan.user.from == NsFrom::Host) return from["uidMappings"].wrong("needs a user namespace");
    if (plan.user.from == NsFrom::Path) {
        // The namespace has its maps already.
        plan.uid_map.clear();
        plan.gid_map.clear();
    }
    TRY(read_time_offsets(from["timeOffsets"], plan));
    return read_propagation(from["rootfsPropagation"], plan.root);
}

}  // namespace orlop::oci
