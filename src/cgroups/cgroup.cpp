#include "cgroups/cgroup.h"

#include <algorithm>
#include <charconv>

#include "base/dir.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

Status pids_in(const std::string& dir, bool recursive, std::vector<pid_t>& out) {
    auto text = read_file(dir + "/cgroup.procs");
    // ENODEV: removed while it was being read.
    if (!text && (text.error().errnum() == ENOENT || text.error().errnum() == ENODEV)) return ok();
    const std::string list = TRY(std::move(text));
    const char* at = list.data();
    const char* end = at + list.size();
    while (at < end) {
        pid_t pid = 0;
        const auto parsed = std::from_chars(at, end, pid);
        // 0 is a process outside our pid namespace: not ours to name.
        if (parsed.ec == std::errc() && pid > 0) out.push_back(pid);
        at = std::find(parsed.ptr, end, '\n') + 1;
    }
    if (!recursive) return ok();
    for (const std::string& name : children_of(dir)) TRY(pids_in(dir + "/" + name, true, out));
    return ok();
}

}  // namespace

std::vector<std::string> Cgroup::directories() const {
    if (h_->version == Version::V2) return {h_->root + path_};
    std::vector<std::string> out;
    if (!h_->hybrid_v2.empty()) out.push_back(h_->hybrid_v2 + path_);
    for (const auto& [controller, mount] : h_->v1) {
        const std::string dir = mount + path_;
        if (std::find(out.begin(), out.end(), dir) == out.end()) out.push_back(dir);
    }
    return out;
}

Result<std::string> Cgroup::directory_of(const std::string& controller) const {
    if (h_->version == Version::V2) return h_->root + path_;
    const auto at = h_->v1.find(controller);
    if (at != h_->v1.end()) return at->second + path_;
    const auto& v2 = h_->v2_controllers;
    if (std::find(v2.begin(), v2.end(), controller) != v2.end()) return h_->hybrid_v2 + path_;
    return Error::unimplemented("this host has no cgroup controller \"" + controller + "\"");
}

bool Cgroup::exists() const {
    const auto dirs = directories();
    return std::all_of(dirs.begin(), dirs.end(), [](const std::string& dir) { return file_exists(dir); });
}

Status Cgroup::create() const {
    TRY(make_directories(*h_, path_));
    return h_->version == Version::V1 ? ok() : enable_above(*h_, path_);
}

Status Cgroup::add(pid_t pid) const {
    for (const std::string& dir : directories()) TRY(write_value(dir + "/cgroup.procs", std::to_string(pid)));
    return ok();
}

Result<std::vector<pid_t>> Cgroup::processes() const {
    std::vector<pid_t> out;
    TRY(pids_in(directories().back(), false, out));
    return out;
}

Result<std::vector<pid_t>> Cgroup::processes_recursive() const {
    std::vector<pid_t> out;
    // A process may sit deeper in one hierarchy than in another; all are asked.
    for (const std::string& dir : directories()) TRY(pids_in(dir, true, out));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

Result<CpuMemoryStats> Cgroup::stats() const {
    CpuMemoryStats s;
    const bool v1 = h_->version == Version::V1;
    const std::string cpu = TRY(directory_of(v1 ? "cpuacct" : "cpu"));
    const std::string memory = TRY(directory_of("memory"));
    s.cpu_usage_ns = v1 ? TRY(read_number(cpu + "/cpuacct.usage"))
                        : TRY(read_keyed(cpu + "/cpu.stat", "usage_usec")) * 1000;
    s.memory_usage = TRY(read_number(memory + (v1 ? "/memory.usage_in_bytes" : "/memory.current")));
    const uint64_t inactive =
        TRY(read_keyed(memory + "/memory.stat", v1 ? "total_inactive_file" : "inactive_file"));
    s.memory_working_set = s.memory_usage > inactive ? s.memory_usage - inactive : 0;
    const uint64_t limit = TRY(read_number(memory + (v1 ? "/memory.limit_in_bytes" : "/memory.max")));
    // v1 says "no limit" as the largest page-aligned number.
    s.memory_limit = limit >= (uint64_t{1} << 62) ? 0 : limit;
    s.pids = TRY(read_number(TRY(directory_of("pids")) + "/pids.current"));
    s.oom_kills = TRY(oom_kills());
    return s;
}

Result<uint64_t> Cgroup::oom_kills() const {
    const std::string dir = TRY(directory_of("memory"));
    return read_keyed(dir + (h_->version == Version::V1 ? "/memory.oom_control" : "/memory.events"),
                      "oom_kill");
}

}  // namespace orlop::cgroups
