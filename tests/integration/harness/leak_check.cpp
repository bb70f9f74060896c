#include "harness/leak_check.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/dir.h"
#include "harness/mount_table.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

Names mounts(const NodePaths& paths) {
    Names found;
    for (const MountEntry& m : mount_table()) {
        const auto inside = [&m](const std::string& dir) { return m.point.starts_with(dir + "/"); };
        if (inside(paths.base) || inside(paths.run) || inside("/run/netns")) found.insert(m.point);
    }
    return found;
}

Names entries(const std::string& dir) {
    Names found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir, error)) found.insert(entry.path());
    return found;
}

// Of pods and containers below the parents that the suites use; other nodes of this machine have theirs.
Names cgroups() {
    static const std::regex ours("orlopit.*([/-]pod[0-9a-f]|[/-][0-9a-f]{64})");
    Names found;
    for (const MountEntry& m : mount_table()) {
        if (!m.type.starts_with("cgroup")) continue;
        std::error_code error;
        for (auto at = fs::recursive_directory_iterator(m.point, error);
             at != fs::recursive_directory_iterator(); at.increment(error)) {
            if (error) break;
            if (at->is_directory(error) && std::regex_search(at->path().string(), ours))
                found.insert(at->path());
        }
    }
    return found;
}

Names units() {
    Names found;
    if (!place().systemd) return found;
    std::istringstream list(run({"/bin/systemctl", "list-units", "--all", "--plain", "--no-legend"}).out);
    static const std::regex ours("^(orlop-[0-9a-f]+\\.scope|orlopit.*-pod[0-9a-f].*|orlopit-.*\\.service)$");
    std::string line;
    while (std::getline(list, line)) {
        const std::string unit = line.substr(0, line.find(' '));
        if (std::regex_match(unit, ours)) found.insert(unit);
    }
    return found;
}

std::string link_of(const fs::path& path) {
    std::error_code error;
    return fs::read_symlink(path, error);
}

// Where the suites have a network namespace of their own, everything in it is theirs; elsewhere it is what
// names the node's directories.
Names processes(const NodePaths& paths) {
    Names found;
    const std::string own_netns = link_of("/proc/self/ns/net");
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(getpid()))
            continue;
        const auto cmdline = read_file(entry.path().string() + "/cmdline");
        if (!cmdline || cmdline->empty()) continue;
        const bool named =
            cmdline->find(paths.run) != std::string::npos || cmdline->find(paths.base) != std::string::npos;
        const bool inside = !place().systemd && link_of(entry.path() / "ns/net") == own_netns;
        if (!named && !inside) continue;
        std::string shown = cmdline->substr(0, 200);
        std::replace(shown.begin(), shown.end(), '\0', ' ');
        // Numbered, not by pid: a restarted daemon is not one more.
        int copy = 1;
        while (!found.insert(shown + "#" + std::to_string(copy)).second) ++copy;
    }
    return found;
}

Names veths() {
    Names found;
    struct if_nameindex* all = if_nameindex();
    for (struct if_nameindex* i = all; i != nullptr && i->if_index != 0; ++i) {
        if (std::string(i->if_name).starts_with("veth")) found.insert(i->if_name);
    }
    if (all != nullptr) if_freenameindex(all);
    return found;
}

// Images stay when pods go; the reference keeps its own books.
Names files(const NodePaths& paths) {
    Names found;
    if (place().reference) return found;
    for (const std::string& top : {paths.root, paths.state}) {
        std::error_code error;
        for (auto at = fs::recursive_directory_iterator(top, error); at != fs::recursive_directory_iterator();
             at.increment(error)) {
            if (error) break;
            if (at->path().filename() == "images" && at.depth() == 0) at.disable_recursion_pending();
            found.insert(at->path());
        }
    }
    return found;
}

Names addresses(const NodePaths& paths) {
    Names found;
    for (const std::string& path : entries(paths.cni_ipam + "/orlopit")) {
        const std::string name = fs::path(path).filename();
        if (name != "lock" && !name.starts_with("last_reserved_ip")) found.insert(path);
    }
    for (const std::string& path : entries(paths.cni_cache + "/results")) found.insert(path);
    return found;
}

std::string difference(const Holdings& before, const Holdings& now) {
    std::string text;
    for (const auto& [category, names] : now) {
        for (const std::string& name : names) {
            if (!before.at(category).contains(name))
                text += "  left behind in " + category + ": " + name + "\n";
        }
    }
    return text;
}

}  // namespace

LeakCheck::LeakCheck(NodePaths paths) : paths_(std::move(paths)), before_(look()) {}

Holdings LeakCheck::look() const {
    return {{"mounts", mounts(paths_)}, {"netns", entries("/run/netns")}, {"cgroups", cgroups()},
            {"units", units()},         {"processes", processes(paths_)}, {"veths", veths()},
            {"files", files(paths_)},   {"addresses", addresses(paths_)}};
}

std::string LeakCheck::left() const {
    return difference(before_, look());
}

void LeakCheck::expect_clean(std::chrono::seconds limit) const {
    std::string found;
    eventually(limit, [&] {
        found = left();
        return found.empty();
    });
    EXPECT_EQ(found, "");
}

}  // namespace orlop::it
