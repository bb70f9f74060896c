#include "runtime/core/host_facts.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <set>

#include "base/dir.h"
#include "runtime/launch/rootfs.h"

namespace orlop::core {

namespace {

constexpr uint64_t kSysResource = uint64_t{1} << 24;  // capabilities(7), CAP_SYS_RESOURCE
constexpr size_t kMaxProfile = 1u << 20;
constexpr int kMaxDepth = 8;  // of device directories

Result<uint64_t> effective_capabilities() {
    const std::string status = TRY(read_file("/proc/self/status"));
    const size_t at = status.find("CapEff:\t");
    uint64_t mask = 0;
    if (at == std::string::npos ||
        std::from_chars(status.data() + at + 8, status.data() + status.size(), mask, 16).ec != std::errc()) {
        return Error::failed("/proc/self/status has no CapEff");
    }
    return mask;
}

// "hugepages-2048kB" -> {"2MB", 2 MiB}: the names of the hugetlb cgroup's files.
void add_hugepages(std::map<std::string, uint64_t>& sizes) {
    auto dir = Dir::open("/sys/kernel/mm/hugepages");
    if (!dir) return;
    for (const std::string& name : dir->list().value_or({})) {
        uint64_t kib = 0;
        const size_t from = std::strlen("hugepages-");
        if (name.size() <= from ||
            std::from_chars(name.data() + from, name.data() + name.size(), kib).ec != std::errc())
            continue;
        const std::string text = kib >= 1u << 20   ? std::to_string(kib >> 20) + "GB"
                                 : kib >= 1u << 10 ? std::to_string(kib >> 10) + "MB"
                                                   : std::to_string(kib) + "KB";
        sizes[text] = kib << 10;
    }
}

// Controllers that share a mount are one hierarchy.
std::vector<launch::CgroupMount> v1_mounts(const cgroups::Hierarchies& hierarchies) {
    std::map<std::string, std::string> by_directory;
    for (const auto& [controller, directory] : hierarchies.v1) {
        std::string& options = by_directory[directory];
        options += (options.empty() ? "" : ",") + controller;
    }
    std::vector<launch::CgroupMount> mounts;
    for (const auto& [directory, options] : by_directory) {
        mounts.push_back({directory.substr(directory.rfind('/') + 1), options});
    }
    return mounts;
}

bool is_device(const struct stat& st) {
    return S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
}

launch::DeviceNode node_of(const std::string& path, const struct stat& st) {
    return {.path = path,
            .type = S_ISBLK(st.st_mode) ? 'b' : 'c',
            .major = static_cast<uint32_t>(major(st.st_rdev)),
            .minor = static_cast<uint32_t>(minor(st.st_rdev)),
            .mode = st.st_mode & 07777u,
            .uid = st.st_uid,
            .gid = st.st_gid};
}

bool kernel_at_least(int major_wanted, int minor_wanted) {
    utsname name{};
    int major_here = 0, minor_here = 0;
    if (uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major_here, &minor_here) != 2) return false;
    return std::pair(major_here, minor_here) >= std::pair(major_wanted, minor_wanted);
}

// Device nodes below `path`, not following symlinks; their paths relative to `base`.
void walk(const std::string& base, const std::string& below, int depth,
          std::vector<launch::DeviceNode>& out) {
    auto dir = Dir::open(base + below);
    if (!dir || depth > kMaxDepth) return;
    for (const std::string& name : dir->list().value_or({})) {
        const std::string path = below + "/" + name;
        struct stat st {};
        if (lstat((base + path).c_str(), &st) != 0) continue;  // udev removes nodes at any time
        if (S_ISDIR(st.st_mode)) walk(base, path, depth + 1, out);
        if (is_device(st)) out.push_back(node_of(path, st));
    }
}

}  // namespace

Result<plan::NodeFacts> read_node_facts(const cgroups::Hierarchies& hierarchies, int64_t pids_limit) {
    plan::NodeFacts facts;
    facts.cgroup_v2 = hierarchies.version == cgroups::Version::V2;
    if (!facts.cgroup_v2) facts.v1_mounts = v1_mounts(hierarchies);
    facts.capabilities = TRY(effective_capabilities());
    facts.can_lower_oom_score = (facts.capabilities & kSysResource) != 0;
    add_hugepages(facts.hugepage_sizes);
    facts.pids_limit = pids_limit;
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return Error::sys("getrlimit");
    facts.nofile_hard = static_cast<int64_t>(std::min<rlim_t>(files.rlim_max, INT32_MAX));
    const std::string score = TRY(read_file("/proc/self/oom_score_adj"));
    std::from_chars(score.data(), score.data() + score.size(), facts.oom_score_adj);
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) == 0) facts.hostname = name;
    return facts;
}

Status read_defaults(const std::vector<std::string>& ulimits, const std::vector<std::string>& sysctls,
                     plan::NodeFacts& facts) {
    for (const std::string& text : ulimits)
        facts.default_rlimits.push_back(TRY(plan::parse_rlimit(text).under("default_ulimits")));
    for (const std::string& text : sysctls) {
        const auto [name, value] = TRY(plan::parse_sysctl(text).under("default_sysctls"));
        facts.default_sysctls[name] = value;
    }
    return ok();
}

void probe_mounts(const std::string& layers, plan::NodeFacts& facts) {
    facts.recursive_read_only = facts.user_namespaces = false;
    const auto api = launch::MountApi::probe();
    if (!api) return;
    facts.recursive_read_only = api->recursive_attributes();
    if (!api->detached() || !api->recursive_attributes() || !kernel_at_least(5, 19)) return;
    const auto tree = api->clone_tree(AT_FDCWD, layers, false);
    const auto user = launch::idle_user_namespace({{0, 65536, 65536}}, {{0, 65536, 65536}});
    facts.user_namespaces = tree && user && api->set_idmap(tree->fd.get(), user->get(), false);
}

Result<std::vector<bool>> stat_mounts(const cri::ContainerConfig& config) {
    std::vector<bool> directories;
    for (int i = 0; i < config.mounts_size(); ++i) {
        const auto& mount = config.mounts(i);
        struct stat st {};
        if (mount.has_image() || mount.host_path().empty()) {
            directories.push_back(true);  // no bind mount: the planner judges it
        } else if (stat(mount.host_path().c_str(), &st) != 0) {
            const int errnum = errno;
            return Error(Kind::Invalid,
                         "mounts[" + std::to_string(i) + "]: host_path \"" + mount.host_path() +
                             "\": " + std::strerror(errnum),
                         errnum);
        } else {
            directories.push_back(S_ISDIR(st.st_mode));
        }
    }
    return directories;
}

Result<std::vector<plan::FoundDevice>> find_devices(const cri::ContainerConfig& config) {
    std::vector<plan::FoundDevice> found;
    for (int i = 0; i < config.devices_size(); ++i) {
        const std::string& path = config.devices(i).host_path();
        const std::string field = "devices[" + std::to_string(i) + "]: host_path \"" + path + "\"";
        struct stat st {};
        if (stat(path.c_str(), &st) != 0) {
            const int errnum = errno;
            return Error(Kind::Invalid, field + ": " + std::strerror(errnum), errnum);
        }
        std::vector<launch::DeviceNode> nodes;
        if (is_device(st)) nodes.push_back(node_of("", st));
        if (S_ISDIR(st.st_mode)) walk(path, "", 0, nodes);
        if (nodes.empty()) return Error::invalid(field + " is no device and has none in it");
        for (auto& node : nodes) {
            std::string below = node.path.empty() ? "" : node.path.substr(1);
            found.push_back({static_cast<size_t>(i), std::move(below), std::move(node)});
        }
    }
    return found;
}

Result<std::vector<launch::DeviceNode>> list_host_devices() {
    // The container's own instances of these are mounted or made anyway.
    static const std::set<std::string> kOwn = {"pts",     "shm",  "mqueue", "fd",
                                               "console", "ptmx", ".lxc",   ".lxd-mounts"};
    std::vector<launch::DeviceNode> nodes;
    for (const std::string& name : TRY(TRY(Dir::open("/dev")).list())) {
        if (kOwn.count(name) != 0) continue;
        struct stat st {};
        if (lstat(("/dev/" + name).c_str(), &st) != 0) continue;
        if (S_ISDIR(st.st_mode)) walk("", "/dev/" + name, 0, nodes);
        if (is_device(st)) nodes.push_back(node_of("/dev/" + name, st));
    }
    return nodes;
}

Result<std::optional<std::string>> read_seccomp_profile(const cri::ContainerConfig& config) {
    const std::string path = TRY(plan::localhost_seccomp(config));
    if (path.empty()) return std::optional<std::string>();
    return std::optional(TRY(read_file(path, kMaxProfile).under("seccomp profile")));
}

Status check_apparmor(const std::string& profile) {
    if (profile.empty()) return ok();
    const std::string who = "AppArmor profile \"" + profile + "\"";
    if (!read_file("/sys/module/apparmor/parameters/enabled").value_or("N").starts_with('Y'))
        return Error::precondition(who + ": this host has no AppArmor");
    // securityfs may be out of sight; then the exec says it.
    const auto loaded = read_file("/sys/kernel/security/apparmor/profiles");
    if (!loaded) return ok();
    // "NAME (MODE)", a line each.
    if (("\n" + *loaded).find("\n" + profile + " (") == std::string::npos)
        return Error::invalid(who + " is not loaded on this host");
    return ok();
}

}  // namespace orlop::core
