#include "oci/harness/config.h"

#include <algorithm>

namespace orlop::it {
namespace {

Json mount_of(const std::string& type, const std::string& source, const std::string& target,
              std::vector<std::string> options) {
    return {{"type", type}, {"source", source}, {"destination", target}, {"options", std::move(options)}};
}

Json default_mounts() {
    return {
        mount_of("proc", "proc", "/proc", {"nosuid", "noexec", "nodev"}),
        mount_of("tmpfs", "tmpfs", "/dev", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
        mount_of("devpts", "devpts", "/dev/pts",
                 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}),
        mount_of("tmpfs", "shm", "/dev/shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
        mount_of("mqueue", "mqueue", "/dev/mqueue", {"nosuid", "noexec", "nodev"}),
        mount_of("sysfs", "sysfs", "/sys", {"nosuid", "noexec", "nodev", "ro"}),
    };
}

}  // namespace

Json command_spec(std::vector<std::string> argv) {
    Json spec = {
        {"ociVersion", "1.0.2"},
        {"process",
         {{"terminal", false},
          {"user", {{"uid", 0}, {"gid", 0}}},
          {"args", std::move(argv)},
          {"env", {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}},
          {"cwd", "/"},
          {"noNewPrivileges", true}}},
        {"root", {{"path", "rootfs"}, {"readonly", false}}},
        {"hostname", "orlopit"},
        {"mounts", default_mounts()},
        {"linux", {{"resources", Json::object()}, {"namespaces", Json::array()}}},
    };
    for (const char* type : {"pid", "network", "ipc", "uts", "mount"}) set_namespace(spec, type);
    set_capabilities(spec, {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
                            "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
                            "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"});
    return spec;
}

Json shell_spec(const std::string& script) {
    return command_spec({"/bin/sh", "-c", script});
}

Json sleeper_spec() {
    return shell_spec("trap 'exit 0' TERM; while :; do sleep 0.05; done");
}

void add_mount(Json& spec, const std::string& type, const std::string& source, const std::string& target,
               std::vector<std::string> options) {
    spec["mounts"].push_back(mount_of(type, source, target, std::move(options)));
}

void drop_namespace(Json& spec, const std::string& type) {
    Json& all = spec["linux"]["namespaces"];
    Json kept = Json::array();
    for (const Json& one : all) {
        if (one["type"] != type) kept.push_back(one);
    }
    all = kept;
    if (type == "uts") spec.erase("hostname");
}

void set_namespace(Json& spec, const std::string& type, const std::string& path) {
    const Json hostname = spec.contains("hostname") ? spec["hostname"] : Json();
    drop_namespace(spec, type);
    if (path.empty() && !hostname.is_null()) spec["hostname"] = hostname;
    Json one = {{"type", type}};
    if (!path.empty()) one["path"] = path;
    spec["linux"]["namespaces"].push_back(one);
}

void map_users(Json& spec, unsigned first) {
    set_namespace(spec, "user");
    const Json map = {{{"containerID", 0}, {"hostID", first}, {"size", 65536}}};
    spec["linux"]["uidMappings"] = map;
    spec["linux"]["gidMappings"] = map;
}

void set_capabilities(Json& spec, const std::vector<std::string>& names) {
    Json& sets = spec["process"]["capabilities"];
    for (const char* set : {"bounding", "permitted", "effective"}) sets[set] = names;
}

void set_env(Json& spec, const std::string& assignment) {
    spec["process"]["env"].push_back(assignment);
}

}  // namespace orlop::it
