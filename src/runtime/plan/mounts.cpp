#include <linux/mount.h>

#include <algorithm>
#include <map>

#include "base/weak.h"
#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

using launch::Mount;
using launch::Propagation;

constexpr uint64_t kNoSuid = MOUNT_ATTR_NOSUID;
constexpr uint64_t kNoDev = MOUNT_ATTR_NODEV;
constexpr uint64_t kNoExec = MOUNT_ATTR_NOEXEC;
constexpr uint64_t kReadOnly = MOUNT_ATTR_RDONLY;

Mount filesystem(std::string type, std::string source, std::string target, uint64_t attributes) {
    Mount mount;
    mount.type = std::move(type);
    mount.source = std::move(source);
    mount.target = std::move(target);
    mount.attributes = attributes;
    return mount;
}

// runtime-spec config-linux.md, "Default Filesystems", with the flags that runc's users know.
std::vector<Mount> default_mounts(bool privileged, const std::optional<UserMaps>& user) {
    const uint64_t unless_privileged = privileged ? 0 : kReadOnly;
    std::vector<Mount> mounts;
    mounts.push_back(filesystem("proc", "proc", "/proc", kNoSuid | kNoDev | kNoExec));
    mounts.push_back(filesystem("tmpfs", "tmpfs", "/dev", kNoSuid | MOUNT_ATTR_STRICTATIME));
    mounts.back().options = {{"mode", "755"}, {"size", "65536k"}};
    mounts.push_back(filesystem("devpts", "devpts", "/dev/pts", kNoSuid | kNoExec));
    mounts.back().options = {{"newinstance", ""}, {"ptmxmode", "0666"}, {"mode", "0620"}};
    // "tty", if it exists there.
    if (!user || user->gids.size > 5) mounts.back().options.emplace_back("gid", "5");
    mounts.push_back(filesystem("mqueue", "mqueue", "/dev/mqueue", kNoSuid | kNoDev | kNoExec));
    mounts.push_back(filesystem("sysfs", "sysfs", "/sys", kNoSuid | kNoDev | kNoExec | unless_privileged));
    const uint64_t cgroups = weakened("readonly-cgroup") ? 0 : unless_privileged;
    mounts.push_back(filesystem("cgroup", "cgroup", "/sys/fs/cgroup", kNoSuid | kNoDev | kNoExec | cgroups));
    return mounts;
}

// What the runtime binds from the sandbox.
std::vector<Mount> sandbox_mounts(const ContainerRequest& request) {
    const SandboxPaths& paths = request.sandbox_paths;
    const bool readonly = request.config.linux().security_context().readonly_rootfs();
    std::vector<Mount> mounts;
    const std::pair<const std::string&, const char*> files[] = {{paths.hostname, "/etc/hostname"},
                                                                {paths.hosts, "/etc/hosts"},
                                                                {paths.resolv_conf, "/etc/resolv.conf"}};
    for (const auto& [source, target] : files) {
        if (source.empty()) continue;
        mounts.push_back(filesystem("bind", source, target, readonly ? kReadOnly : 0));
        mounts.back().make_directory = false;
    }
    if (host_ipc(request.sandbox) || paths.shm.empty()) {
        mounts.push_back(filesystem("bind", "/dev/shm", "/dev/shm", 0));
    } else {
        mounts.push_back(filesystem("bind", paths.shm, "/dev/shm", kNoSuid | kNoDev | kNoExec));
    }
    return mounts;
}

Result<uint64_t> option_attribute(const std::string& field, const std::string& option) {
    static const std::map<std::string_view, uint64_t> kOptions = {
        {"nosuid", kNoSuid},
        {"nodev", kNoDev},
        {"noexec", kNoExec},
        {"ro", kReadOnly},
        {"noatime", MOUNT_ATTR_NOATIME},
        {"strictatime", MOUNT_ATTR_STRICTATIME},
        {"relatime", MOUNT_ATTR_RELATIME},
        {"nodiratime", MOUNT_ATTR_NODIRATIME},
        {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW},
    };
    const auto found = kOptions.find(option);
    if (found == kOptions.end()) {
        return Error::invalid(field + ": \"" + printable(option) + "\" is not possible for a bind mount");
    }
    return found->second;
}

Result<Propagation> propagation_of(const std::string& field, cri::MountPropagation propagation) {
    switch (propagation) {
        case cri::PROPAGATION_PRIVATE:
            return Propagation::Private;
        case cri::PROPAGATION_HOST_TO_CONTAINER:
            return Propagation::Slave;
        case cri::PROPAGATION_BIDIRECTIONAL:
            return Propagation::Shared;
        default:
            return Error::invalid(field + ": unknown value " + std::to_string(propagation));
    }
}

Status check_recursive(const cri::Mount& mount, int index, const NodeFacts& facts) {
    const std::string field = element("mounts", index, "recursive_read_only");
    if (!mount.recursive_read_only()) return ok();
    if (!mount.readonly()) return Error::invalid(field + ": needs readonly");
    if (mount.propagation() != cri::PROPAGATION_PRIVATE) {
        return Error::invalid(field + ": needs PROPAGATION_PRIVATE");
    }
    // The kubelet knows this word.
    if (!facts.recursive_read_only)
        return Error::unimplemented("RROUnsupported: " + field + " needs Linux 5.12");
    return ok();
}

using IdMappings = google::protobuf::RepeatedPtrField<cri::IDMapping>;

std::vector<launch::IdMap> id_maps(const IdMappings& from) {
    std::vector<launch::IdMap> maps;
    for (const cri::IDMapping& m : from) maps.push_back({m.container_id(), m.host_id(), m.length()});
    return maps;
}

Status plan_idmap(const cri::Mount& from, int index, Mount& mount) {
    if (from.uidmappings().empty() && from.gidmappings().empty()) return ok();
    for (const IdMappings* list : {&from.uidmappings(), &from.gidmappings()}) {
        const std::string field =
            element("mounts", index, list == &from.uidmappings() ? "uidMappings" : "gidMappings");
        if (list->empty()) return Error::invalid(field + ": missing, users and groups are mapped together");
        for (const cri::IDMapping& m : *list) TRY(check_range(field, m));
    }
    mount.idmap = true;
    mount.uid_map = id_maps(from.uidmappings());
    mount.gid_map = id_maps(from.gidmappings());
    return ok();
}

// Its layers are what the image has; nobody can write to them.
Result<Mount> image_mount(const ContainerRequest& request, int index) {
    const cri::Mount& from = request.config.mounts(index);
    if (!from.host_path().empty()) {
        return Error::invalid(element("mounts", index) + ": both host_path and image");
    }
    if (!from.readonly())
        return Error::invalid(element("mounts", index, "readonly") +
                              ": an image is always mounted read-only");
    if (from.propagation() != cri::PROPAGATION_PRIVATE) {
        return Error::invalid(element("mounts", index, "propagation") + ": an image has no host side");
    }
    Mount mount;
    mount.type = "image";
    mount.attributes = kReadOnly | kNoSuid | kNoDev;
    if (!from.image_sub_path().empty()) {
        mount.source =
            TRY(clean_path(element("mounts", index, "image_sub_path"), "/" + from.image_sub_path()));
    }
    const auto layers = request.image_layers.find(index);
    if (layers == request.image_layers.end() || layers->second.empty()) {
        return Error::invalid(element("mounts", index, "image") + ": it has no layers");
    }
    for (const std::string& layer : layers->second) mount.options.emplace_back("lowerdir", layer);
    return mount;
}

Result<Mount> host_mount(const ContainerRequest& request, int index, const NodeFacts& facts) {
    const cri::Mount& from = request.config.mounts(index);
    if (!from.image_sub_path().empty()) {
        return Error::invalid(element("mounts", index, "image_sub_path") + ": set without image");
    }
    TRY(check_recursive(from, index, facts));
    Mount mount;
    mount.type = "bind";
    // As it is: ".." after a symlink is not what it looks like.
    TRY(clean_path(element("mounts", index, "host_path"), from.host_path()));
    mount.source = from.host_path();
    mount.propagation = TRY(propagation_of(element("mounts", index, "propagation"), from.propagation()));
    if (from.recursive_read_only()) mount.recursive_attributes = kReadOnly;
    if (from.readonly()) mount.attributes |= kReadOnly;
    TRY(plan_idmap(from, index, mount));
    const auto at = static_cast<size_t>(index);
    if (at < request.mount_is_directory.size()) mount.make_directory = request.mount_is_directory[at];
    return mount;
}

Result<Mount> asked_mount(const ContainerRequest& request, int index, const NodeFacts& facts) {
    const cri::Mount& from = request.config.mounts(index);
    Mount mount = TRY(from.has_image() ? image_mount(request, index) : host_mount(request, index, facts));
    mount.target = TRY(clean_path(element("mounts", index, "container_path"), from.container_path()));
    if (mount.target == "/") {
        return Error::invalid(element("mounts", index, "container_path") + ": the root itself");
    }
    for (const std::string& option : from.mount_options()) {
        mount.attributes |= TRY(option_attribute(element("mounts", index, "mount_options"), option));
    }
    return mount;
}

bool has_target(const std::vector<Mount>& mounts, const std::string& target) {
    return std::any_of(mounts.begin(), mounts.end(), [&](const Mount& m) { return m.target == target; });
}

auto depth(const Mount& mount) {
    return std::count(mount.target.begin(), mount.target.end(), '/');
}

}  // namespace

bool mounts_dev(const cri::ContainerConfig& config) {
    return std::any_of(config.mounts().begin(), config.mounts().end(), [](const cri::Mount& mount) {
        const auto target = clean_path("container_path", mount.container_path());
        return target && *target == "/dev";
    });
}

Result<std::vector<Mount>> plan_mounts(const ContainerRequest& request, const NodeFacts& facts,
                                       const std::optional<UserMaps>& user) {
    std::vector<Mount> binds;
    for (int i = 0; i < request.config.mounts_size(); ++i) {
        Mount mount = TRY(asked_mount(request, i, facts));
        binds.push_back(std::move(mount));
    }
    const bool own_dev = has_target(binds, "/dev");
    for (Mount& mount : sandbox_mounts(request)) {
        if (has_target(binds, mount.target)) continue;
        binds.push_back(std::move(mount));
    }
    // Parents before children, else a mount would hide those below it.
    std::stable_sort(binds.begin(), binds.end(),
                     [](const Mount& a, const Mount& b) { return depth(a) < depth(b); });

    std::vector<Mount> mounts;
    for (Mount& mount : default_mounts(request.config.linux().security_context().privileged(), user)) {
        if (has_target(binds, mount.target)) continue;
        if (own_dev && mount.target.starts_with("/dev/")) continue;
        mounts.push_back(std::move(mount));
    }
    mounts.insert(mounts.end(), std::make_move_iterator(binds.begin()), std::make_move_iterator(binds.end()));
    return mounts;
}

}  // namespace orlop::plan
