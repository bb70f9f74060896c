#include "harness/mount_table.h"

#include <fstream>
#include <sstream>

#include "base/dir.h"
#include "harness/place.h"

namespace orlop::it {
namespace {

// "cpu,cpuacct" names "cpu"?
bool lists(const std::string& commas, const std::string& wanted) {
    return ("," + commas + ",").find("," + wanted + ",") != std::string::npos;
}

}  // namespace

std::vector<MountEntry> mount_table() {
    std::vector<MountEntry> table;
    std::ifstream file("/proc/self/mountinfo");
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string skip, point, word, type, source, options;
        fields >> skip >> skip >> skip >> skip >> point >> skip;
        while (fields >> word && word != "-") continue;
        fields >> type >> source >> options;
        table.push_back({point, type, options});
    }
    return table;
}

Result<std::string> cgroup_of(pid_t pid, const std::string& controller) {
    std::string mount;
    for (const MountEntry& m : mount_table()) {
        const bool match =
            controller.empty() ? m.type == "cgroup2" : m.type == "cgroup" && lists(m.options, controller);
        if (match) mount = m.point;
    }
    if (mount.empty()) return Error::not_found("no hierarchy for '" + controller + "'");
    std::istringstream lines(TRY(read_file("/proc/" + std::to_string(pid) + "/cgroup")));
    std::string line;
    while (std::getline(lines, line)) {
        const size_t first = line.find(':'), second = line.find(':', first + 1);
        const std::string names = line.substr(first + 1, second - first - 1);
        if (controller.empty() ? names.empty() : lists(names, controller))
            return mount + line.substr(second + 1);
    }
    return Error::not_found("process " + std::to_string(pid) + " is in no cgroup of '" + controller + "'");
}

Result<std::string> cgroup_value(pid_t pid, const std::string& controller, const std::string& v1,
                                 const std::string& v2) {
    const std::string dir = TRY(cgroup_of(pid, place().unified ? "" : controller));
    std::string text = TRY(read_file(dir + "/" + (place().unified ? v2 : v1)));
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace orlop::it
