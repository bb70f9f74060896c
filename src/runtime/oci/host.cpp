#include "runtime/oci/host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/dir.h"

namespace orlop::oci {

namespace {

uint64_t bounding_capabilities() {
    uint64_t mask = 0;
    for (unsigned long capability = 0; capability < 64; ++capability) {
        const int has = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (has < 0) break;
        if (has == 1) mask |= uint64_t{1} << capability;
    }
    return mask;
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

uint32_t number_in(const char* text) {
    uint32_t number = 0;
    if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
    return number;
}

}  // namespace

HostFacts host_facts(const cgroups::Hierarchies& hierarchies, bool no_pivot) {
    HostFacts facts;
    facts.cgroup_v2 = hierarchies.version == cgroups::Version::V2;
    if (!facts.cgroup_v2) facts.v1_mounts = v1_mounts(hierarchies);
    facts.capabilities = bounding_capabilities();
    facts.no_pivot = no_pivot;
    return facts;
}

launch::CgroupJoin join_of(const cgroups::Cgroup& cgroup) {
    launch::CgroupJoin join{.path = cgroup.path(), .v2_dir = {}, .v1_dirs = cgroup.directories()};
    const cgroups::Hierarchies& h = cgroup.hierarchies();
    if (h.version == cgroups::Version::V2 || !h.hybrid_v2.empty()) {
        join.v2_dir = join.v1_dirs.front();
        join.v1_dirs.erase(join.v1_dirs.begin());
    }
    return join;
}

std::string user_name(uid_t uid) {
    // Not getpwuid(3): a static program has no name service.
    const std::string passwd = read_file("/etc/passwd").value_or("");
    const std::string number = std::to_string(uid);
    for (size_t at = 0; at < passwd.size();) {
        const size_t end = std::min(passwd.find('\n', at), passwd.size());
        const std::string line = passwd.substr(at, end - at);
        const size_t name = line.find(':');
        const size_t id = name == std::string::npos ? name : line.find(':', name + 1);
        if (id != std::string::npos && line.compare(id + 1, number.size() + 1, number + ":") == 0) {
            return line.substr(0, name);
        }
        at = end + 1;
    }
    return number;
}

Result<PassedFds> passed_fds(uint32_t preserve) {
    PassedFds passed;
    const char* for_whom = getenv("LISTEN_PID");
    const bool ours = for_whom == nullptr || number_in(for_whom) == static_cast<uint32_t>(getpid());
    if (const uint32_t listening = ours ? number_in(getenv("LISTEN_FDS")) : 0; listening > 0) {
        passed.count = listening;
        passed.env = {"LISTEN_FDS=" + std::to_string(listening), "LISTEN_PID=1"};
    }
    passed.count += preserve;
    for (uint32_t i = 0; i < passed.count; ++i) {
        const int fd = 3 + static_cast<int>(i);
        if (fcntl(fd, F_GETFD) < 0) {
            return Error::invalid("descriptor " + std::to_string(fd) + " is to be passed on but is not open");
        }
    }
    return passed;
}

Status write_pid_file(const std::string& path, pid_t pid) {
    if (path.empty()) return ok();
    const size_t slash = path.rfind('/');
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    const std::string temporary = path.substr(0, path.size() - name.size()) + "." + name;
    {
        UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        if (!fd) return Error::sys("open " + temporary);
        TRY(write_all(fd.get(), std::to_string(pid)).under(temporary));
    }
    if (rename(temporary.c_str(), path.c_str()) != 0) return Error::sys("rename to " + path);
    return ok();
}

Result<launch::Stage> wait_for_news(launch::Launching& launching) {
    for (;;) {
        const launch::Stage stage = TRY(launch::advance(launching));
        if (stage != launch::Stage::Working) return stage;
        pollfd fd{launching.report.get(), POLLIN, 0};
        if (poll(&fd, 1, -1) < 0 && errno != EINTR) return Error::sys("poll");
    }
}

void kill_child(pid_t pid) {
    if (pid <= 0) return;
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace orlop::oci
