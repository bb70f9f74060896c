#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/oci/spec/spec.h"

namespace orlop::oci {

namespace {

using nlohmann::ordered_json;

ordered_json mount(const char* target, const char* type, const char* source,
                   std::vector<std::string> options) {
    return {{"destination", target}, {"type", type}, {"source", source}, {"options", std::move(options)}};
}

ordered_json default_mounts(bool rootless) {
    ordered_json sys = mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
    // Root of a user namespace without a network namespace may mount no sysfs of its own.
    if (rootless) sys = mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
    std::vector<std::string> pts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
    if (!rootless) pts.emplace_back("gid=5");
    return ordered_json::array(
        {mount("/proc", "proc", "proc", {}),
         mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
         mount("/dev/pts", "devpts", "devpts", std::move(pts)),
         mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
         mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}), std::move(sys),
         mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"})});
}

ordered_json default_process() {
    const ordered_json caps = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
    // No inheritable and no ambient ones: what runs as somebody else has none (CVE-2022-29162).
    return {{"terminal", true},
            {"user", {{"uid", 0}, {"gid", 0}}},
            {"args", {"sh"}},
            {"env", {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}},
            {"cwd", "/"},
            {"capabilities", {{"bounding", caps}, {"effective", caps}, {"permitted", caps}}},
            {"rlimits", ordered_json::array({{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}})},
            {"noNewPrivileges", true}};
}

ordered_json default_linux(bool rootless) {
    ordered_json namespaces = ordered_json::array();
    for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"}) {
        if (!rootless || std::string_view(type) != "network") namespaces.push_back({{"type", type}});
    }
    ordered_json out = {
        {"namespaces", namespaces},
        {"maskedPaths",
         {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
          "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
          "/sys/firmware", "/sys/devices/virtual/powercap"}},
        {"readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
    if (rootless) {
        out["namespaces"].push_back({{"type", "user"}});
        const auto one = [](uint32_t id) {
            return ordered_json::array({{{"containerID", 0}, {"hostID", id}, {"size", 1}}});
        };
        out["uidMappings"] = one(geteuid());
        out["gidMappings"] = one(getegid());
    } else {
        out["resources"] = {{"devices", ordered_json::array({{{"allow", false}, {"access", "rwm"}}})}};
    }
    return out;
}

}  // namespace

std::string default_config_json(bool rootless) {
    const ordered_json out = {{"ociVersion", "1.0.2"},
                              {"process", default_process()},
                              {"root", {{"path", "rootfs"}, {"readonly", true}}},
                              {"hostname", "orlop"},
                              {"mounts", default_mounts(rootless)},
                              {"linux", default_linux(rootless)}};
    return out.dump(4) + "\n";
}

}  // namespace orlop::oci
