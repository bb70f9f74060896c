#include "oci/harness/leftovers.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/dir.h"
#include "harness/mount_table.h"
#include "harness/process.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;

std::string mounts() {
    std::string found;
    for (const MountEntry& m : mount_table()) {
        // podman's overlay driver keeps its directory mounted on itself
        if (m.point.ends_with("/podman/storage/overlay")) continue;
        if (m.point.find(run_mark() + "/") != std::string::npos) found += "  mount " + m.point + "\n";
    }
    return found;
}

std::string cgroups() {
    std::string found;
    std::map<std::string, std::string> uppermost;  // a mount may be covered by another
    for (const MountEntry& m : mount_table()) uppermost[m.point] = m.type;
    for (const auto& [point, type] : uppermost) {
        if (!type.starts_with("cgroup")) continue;
        std::error_code error;
        for (auto at = fs::recursive_directory_iterator(point, error);
             at != fs::recursive_directory_iterator(); at.increment(error)) {
            if (error) break;
            if (at->is_directory(error) &&
                at->path().filename().string().find(run_mark() + "-") != std::string::npos)
                found += "  cgroup " + at->path().string() + "\n";
        }
    }
    return found;
}

std::string units() {
    if (!place().systemd) return "";
    std::istringstream list(
        run({"/bin/systemctl", "list-units", "--type=scope,service,slice", "--all", "--plain", "--no-legend"})
            .out);
    std::string found, line;
    while (std::getline(list, line)) {
        if (line.find(run_mark() + "-") != std::string::npos) found += "  unit " + line + "\n";
    }
    return found;
}

// Whatever the runtime's children left is ours now: zombies are reaped, the rest is named.
std::string processes() {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const std::string self = "/proc/" + std::to_string(getpid());
    const auto children = read_file(self + "/task/" + std::to_string(getpid()) + "/children");
    std::istringstream pids(children ? *children : "");
    std::string found, pid;
    while (pids >> pid) {
        const auto command = read_file("/proc/" + pid + "/cmdline");
        std::string shown = command ? command->substr(0, 200) : "";
        std::replace(shown.begin(), shown.end(), '\0', ' ');
        found += "  process " + pid + " " + shown + "\n";
    }
    return found;
}

// A cache of the runtime's own begins with a dot.
std::string state() {
    std::string found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(state_dir() + "/root", error)) {
        if (!entry.path().filename().string().starts_with("."))
            found += "  state " + entry.path().string() + "\n";
    }
    return found;
}

}  // namespace

const std::string& run_mark() {
    static const std::string mark = "orlopoci" + std::to_string(getpid());
    return mark;
}

std::string run_dir() {
    return place().base_dir + "/" + run_mark();
}

std::string state_dir() {
    return "/run/" + run_mark();
}

bool reap_orphans() {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

std::string Leftovers::find() {
    std::string found;
    eventually(scaled(3), [&] {
        found = unknown(processes() + mounts() + cgroups() + state());
        return found.empty();
    });
    found += unknown(units());
    std::istringstream lines(found);
    std::string line;
    while (std::getline(lines, line)) told_.insert(line);
    return found;
}

std::string Leftovers::unknown(const std::string& text) const {
    std::istringstream lines(text);
    std::string found, line;
    while (std::getline(lines, line)) {
        if (!told_.contains(line)) found += line + "\n";
    }
    return found;
}

}  // namespace orlop::it
