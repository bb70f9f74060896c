#include "harness/place.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/dir.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;

std::string env(const char* name, const std::string& otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

int env_number(const char* name, int otherwise) {
    const int value = std::atoi(env(name, std::to_string(otherwise)).c_str());
    return value > 0 ? value : otherwise;
}

std::string default_crictl() {
    const std::string home = env("HOME", "/root");
    return env("ORLOP_CACHE", env("XDG_CACHE_HOME", home + "/.cache") + "/orlop") + "/bin/crictl";
}

std::string first_existing(std::initializer_list<const char*> paths) {
    for (const char* path : paths) {
        if (access(path, F_OK) == 0) return path;
    }
    return "";
}

bool is_cgroup2(const char* path) {
    struct statfs info = {};
    return statfs(path, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

Place from_environment() {
    Place p;
    const std::string self = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
    p.systemd = access("/run/systemd/system", F_OK) == 0;
    p.unified = is_cgroup2("/sys/fs/cgroup");
    p.name = env("ORLOP_IT_PLACE", !p.systemd ? "here" : p.unified ? "vm" : "ns");
    p.reference = env("ORLOP_IT_RUNTIME", "orlop") == "containerd";
    p.bin_dir = env("ORLOP_IT_BIN", self + "/bin");
    p.oci = env("ORLOP_IT_OCI", p.bin("orlop-oci"));
    p.crictl = env("ORLOP_IT_CRICTL", default_crictl());
    p.base_dir = env("ORLOP_IT_DIR", "/var/lib/orlopit");
    p.cni_bin_dir =
        fs::path(first_existing({"/usr/lib/cni/bridge", "/opt/cni/bin/bridge", "/usr/libexec/cni/bridge"}))
            .parent_path();
    p.busybox = first_existing({"/bin/busybox", "/usr/bin/busybox", "/usr/sbin/busybox"});
    p.time_factor = env_number("ORLOP_IT_TIME", 1);
    p.churn_pods = env_number("ORLOP_IT_CHURN", 200);
    return p;
}

bool promised(const std::string& need) {
    const std::string list = "," + env("ORLOP_IT_PROMISED", "") + ",";
    return list.find("," + need + ",") != std::string::npos;
}

struct Checked {
    const char* name;
    std::string missing;  // empty: there
};

std::string program(const std::string& path) {
    return access(path.c_str(), X_OK) == 0 ? "" : path + " is not there: build it";
}

Checked check(Need need) {
    const Place& p = place();
    switch (need) {
        case Need::Root:
            return {"root", geteuid() == 0 ? "" : "needs root"};
        case Need::Cni:
            return {"cni",
                    p.cni_bin_dir.empty() ? "needs the CNI plugins (containernetworking-plugins)" : ""};
        case Need::Crictl:
            return {"crictl", access(p.crictl.c_str(), X_OK) == 0
                                  ? ""
                                  : "needs crictl at " + p.crictl + " (scripts/install-test-tools)"};
        case Need::Busybox:
            return {"busybox", p.busybox.empty() ? "needs a static busybox (busybox-static)" : ""};
        case Need::Cgroups:
            return {"cgroups", p.unified || access("/sys/fs/cgroup/memory", F_OK) == 0
                                   ? ""
                                   : "needs the memory controller, of cgroup v1 or v2"};
        case Need::Systemd:
            return {"systemd", p.systemd ? "" : "needs systemd as PID 1"};
        case Need::CgroupV2:
            return {"v2", p.unified ? "" : "needs cgroup v2 with every controller"};
        case Need::Orlop:
            return {"orlop",
                    p.reference ? "needs orlop-runtime, not the reference" : program(p.bin("orlop-runtime"))};
        case Need::Agent:
            return {"agent", program(p.bin("orlop-agent"))};
        case Need::Cli:
            return {"cli", program(p.bin("orlop"))};
    }
    return {"?", "unknown need"};
}

}  // namespace

const Place& place() {
    static const Place the_place = from_environment();
    return the_place;
}

Unmet unmet(std::initializer_list<Need> needs) {
    Unmet all;
    for (const Need need : needs) {
        const Checked checked = check(need);
        if (checked.missing.empty()) continue;
        all.reason += (all.reason.empty() ? "" : "; ") + checked.missing;
        // Our own programs are never optional: without them there is nothing to test.
        const bool own = need == Need::Orlop || need == Need::Agent || need == Need::Cli;
        all.promised = all.promised || (own && !place().reference) || promised(checked.name);
    }
    return all;
}

}  // namespace orlop::it
