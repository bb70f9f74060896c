#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

constexpr std::string_view kField = "linux.security_context.namespace_options.userns_options.";

using Mappings = google::protobuf::RepeatedPtrField<cri::IDMapping>;

Result<launch::IdMap> one_range(std::string_view name, const Mappings& from) {
    const std::string field = std::string(kField).append(name);
    if (from.size() != 1) {
        return Error::invalid(field + ": exactly one range is possible, not " + std::to_string(from.size()));
    }
    TRY(check_range(field, from[0]));
    if (from[0].container_id() != 0)
        return Error::invalid(field + ": id 0 of the containers is not in the range");
    return launch::IdMap{from[0].container_id(), from[0].host_id(), from[0].length()};
}

bool same(const launch::IdMap& a, const launch::IdMap& b) {
    return a.inside == b.inside && a.outside == b.outside && a.size == b.size;
}

}  // namespace

bool UserMaps::operator==(const UserMaps& other) const {
    return same(uids, other.uids) && same(gids, other.gids);
}

// user_namespaces(7): the last of all ids, (uid_t) -1, is none.
Status check_range(std::string_view field, const cri::IDMapping& m) {
    const uint64_t room = UINT32_MAX - std::max<uint64_t>(m.container_id(), m.host_id());
    if (m.length() > 0 && m.length() <= room) return ok();
    return Error::invalid(std::string(field) + ": a range of " + std::to_string(m.length()) + " ids from " +
                          std::to_string(m.host_id()) + " is empty or does not fit into 32 bits");
}

Result<std::optional<UserMaps>> read_user_namespace(const cri::NamespaceOption& options) {
    std::optional<UserMaps> none;
    if (!options.has_userns_options()) return none;
    const cri::UserNamespace& from = options.userns_options();
    const std::string mode = std::string(kField) + "mode";
    switch (from.mode()) {
        case cri::NODE:
            if (from.uids().empty() && from.gids().empty()) return none;
            return Error::invalid(mode + ": NODE: the host's user namespace has its own mappings");
        case cri::POD: {
            UserMaps maps;
            maps.uids = TRY(one_range("uids", from.uids()));
            maps.gids = TRY(one_range("gids", from.gids()));
            return std::optional(maps);
        }
        default:
            return Error::invalid(mode + ": only POD and NODE are possible");
    }
}

Result<std::optional<UserMaps>> user_namespace(const cri::PodSandboxConfig& config) {
    return read_user_namespace(config.linux().security_context().namespace_options());
}

}  // namespace orlop::plan
