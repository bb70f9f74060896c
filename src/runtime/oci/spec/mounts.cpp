#include <linux/mount.h>

#include <algorithm>

#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

using launch::Mount;

// What lxcfs and the like bind over files of procfs; anything else below /proc is an attack or a mistake.
constexpr std::string_view kProcFiles[] = {"/proc/cpuinfo",
                                           "/proc/diskstats",
                                           "/proc/meminfo",
                                           "/proc/stat",
                                           "/proc/swaps",
                                           "/proc/uptime",
                                           "/proc/loadavg",
                                           "/proc/slabinfo",
                                           "/proc/net/dev",
                                           "/proc/sys/kernel/ns_last_pid",
                                           "/proc/sys/crypto/fips_enabled"};

Status check_target(const Field& where, const Mount& m) {
    if (m.target == "/") return where.wrong("the root itself cannot be mounted on");
    if (!m.target.starts_with("/proc/")) return ok();
    if (m.type == "remount" || m.type == "proc") return ok();
    const auto end = std::end(kProcFiles);
    if (std::find(std::begin(kProcFiles), end, m.target) != end) return ok();
    return where.wrong(m.target + " is inside /proc, where only procfs's own files may be covered");
}

bool asks_for_bind(const std::vector<std::string>& options) {
    return std::any_of(options.begin(), options.end(),
                       [](const std::string& o) { return o == "bind" || o == "rbind"; });
}

Result<Mount> read_mount(const Field& from, const std::string& bundle) {
    Mount m;
    TRY(from.object());
    m.target = clean_absolute(TRY(from["destination"].required_text()));
    m.type = TRY(from["type"].text_or(""));
    m.source = TRY(from["source"].text_or(""));
    const std::vector<std::string> options = TRY(from["options"].texts());
    if (asks_for_bind(options)) m.type = "bind";
    if (m.type == "cgroup2") m.type = "cgroup";
    if (m.type == "none" || m.type.empty()) {
        const bool remounts = std::find(options.begin(), options.end(), "remount") != options.end();
        if (!remounts) return from["type"].wrong("is missing");
    }
    m.recursive = false;
    for (size_t i = 0; i < options.size(); ++i)
        TRY(apply_option(options[i], m, Field(nullptr, from.path() + ".options[" + std::to_string(i) + "]")));
    if (m.type == "bind") {
        if (m.source.empty()) return from["source"].wrong("is missing");
        if (m.source.front() != '/') m.source = clean_absolute(bundle + "/" + m.source);
    } else if (m.type != "remount") {
        // A filesystem of our own has nothing to clear; the kernel's default is what "rw" and the like ask
        // for.
        m.clear = 0;
    }
    if (m.copy_up && m.type != "tmpfs") return from["options"].wrong("tmpcopyup needs a tmpfs");
    m.uid_map = TRY(read_id_maps(from["uidMappings"]));
    m.gid_map = TRY(read_id_maps(from["gidMappings"]));
    if (m.uid_map.empty() != m.gid_map.empty()) return from.wrong("uidMappings and gidMappings go together");
    if (!m.uid_map.empty()) m.idmap = true;
    if (m.idmap && m.type != "bind") return from.wrong("id mappings need a bind mount");
    TRY(check_target(from["destination"], m));
    return m;
}

}  // namespace

std::string clean_absolute(std::string_view path) {
    std::vector<std::string_view> parts;
    for (size_t at = 0; at < path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        if (part == "..") {
            if (!parts.empty()) parts.pop_back();
        } else if (!part.empty() && part != ".") {
            parts.push_back(part);
        }
        at = end + 1;
    }
    std::string out;
    for (const std::string_view part : parts) out += "/" + std::string(part);
    return out.empty() ? "/" : out;
}

Status read_mounts(const Field& list, const std::string& bundle, launch::LaunchPlan& plan) {
    for (const Field& from : TRY(list.items())) {
        Mount m = TRY(read_mount(from, bundle));
        const bool own_maps = !m.uid_map.empty();
        if (m.idmap && !own_maps && plan.user.from != launch::NsFrom::New)
            return from.wrong("idmap without mappings needs a new user namespace");
        plan.mounts.push_back(std::move(m));
    }
    return ok();
}

}  // namespace orlop::oci
