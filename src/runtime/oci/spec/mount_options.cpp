#include <linux/mount.h>

#include <string_view>

#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

using launch::Mount;
using launch::Propagation;

// MOUNT_ATTR_* that an option of mount(8) sets or clears; with "r" before its name it does so recursively.
struct Attribute {
    std::string_view name;
    uint64_t set, clear;
};
constexpr Attribute kAttributes[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", 0, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", 0, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
};

struct PropagationName {
    std::string_view name;
    Propagation propagation;
};
constexpr PropagationName kPropagation[] = {
    {"private", Propagation::Private},
    {"slave", Propagation::Slave},
    {"shared", Propagation::Shared},
    {"unbindable", Propagation::Unbindable},
};

// The superblock's, taken by fsconfig(2) as flags; and the words that mean nothing here.
constexpr std::string_view kSuperblock[] = {"sync", "async",  "dirsync", "lazytime", "nolazytime",
                                            "mand", "nomand", "silent",  "loud"};
constexpr std::string_view kIgnored[] = {"defaults", "iversion", "noiversion", "acl", "noacl"};

template <class List>
bool contains(const List& list, std::string_view name) {
    for (const std::string_view one : list) {
        if (one == name) return true;
    }
    return false;
}

bool is_bind(const Mount& m) {
    return m.type == "bind";
}

bool apply_attribute(std::string_view name, Mount& m) {
    for (const Attribute& a : kAttributes) {
        if (name == a.name) {
            m.attributes = (m.attributes & ~(a.clear | a.set)) | a.set;
            m.clear = (m.clear & ~a.set) | a.clear;
            return true;
        }
        if (name.size() == a.name.size() + 1 && name.front() == 'r' && name.substr(1) == a.name) {
            m.recursive_attributes = (m.recursive_attributes & ~(a.clear | a.set)) | a.set;
            m.recursive_clear = (m.recursive_clear & ~a.set) | a.clear;
            return true;
        }
    }
    return false;
}

bool apply_propagation(std::string_view name, Mount& m) {
    for (const PropagationName& p : kPropagation) {
        const bool recursive =
            name.size() == p.name.size() + 1 && name.front() == 'r' && name.substr(1) == p.name;
        if (name != p.name && !recursive) continue;
        m.propagation = p.propagation;
        m.recursive_propagation = recursive;
        return true;
    }
    return false;
}

bool apply_own(std::string_view name, Mount& m) {
    if (name == "bind" || name == "rbind") {
        m.recursive = name == "rbind";
    } else if (name == "tmpcopyup") {
        m.copy_up = true;
    } else if (name == "idmap" || name == "ridmap") {
        m.idmap = true;
        m.recursive_idmap = name == "ridmap";
    } else if (name == "remount") {
        m.type = "remount";
    } else {
        return false;
    }
    return true;
}

}  // namespace

Status apply_option(const std::string& option, Mount& mount, const Field& where) {
    if (apply_attribute(option, mount) || apply_propagation(option, mount) || apply_own(option, mount))
        return ok();
    if (contains(kIgnored, option)) return ok();
    if (is_bind(mount)) {
        if (contains(kSuperblock, option)) return ok();
        return where.wrong("\"" + option + "\" is not possible for a bind mount");
    }
    const size_t equals = option.find('=');
    if (option.empty() || equals == 0) return where.wrong("an option without a name");
    if (equals == std::string::npos) {
        mount.options.emplace_back(option, "");
    } else {
        mount.options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
    }
    return ok();
}

std::vector<std::string> mount_option_names() {
    std::vector<std::string> out = {"bind", "rbind", "tmpcopyup", "idmap", "ridmap", "remount"};
    for (const Attribute& a : kAttributes) {
        out.emplace_back(a.name);
        out.emplace_back("r" + std::string(a.name));
    }
    for (const PropagationName& p : kPropagation) {
        out.emplace_back(p.name);
        out.emplace_back("r" + std::string(p.name));
    }
    for (const std::string_view name : kSuperblock) out.emplace_back(name);
    for (const std::string_view name : kIgnored) out.emplace_back(name);
    return out;
}

}  // namespace orlop::oci
