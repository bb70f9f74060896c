#include "runtime/oci/stats.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/dir.h"

namespace orlop::oci {

namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kNsPerTick = 10'000'000;  // USER_HZ is 100 on every architecture we build for

// A controller's files; a file that is missing reads as empty.
struct Files {
    std::string dir;
    std::string text(const std::string& name) const {
        return dir.empty() ? "" : read_file(dir + "/" + name).value_or("");
    }
    // "max" and what is no number are 0, as runc has it.
    uint64_t number(const std::string& name) const {
        const std::string content = text(name);
        uint64_t n = 0;
        std::from_chars(content.data(), content.data() + content.size(), n);
        return n;
    }
    // "key value" lines.
    std::map<std::string, uint64_t> keyed(const std::string& name) const {
        std::map<std::string, uint64_t> out;
        const std::string content = text(name);
        for (size_t at = 0; at < content.size();) {
            const size_t end = std::min(content.find('\n', at), content.size());
            const size_t space = content.find(' ', at);
            if (space < end) {
                uint64_t n = 0;
                std::from_chars(content.data() + space + 1, content.data() + end, n);
                out[content.substr(at, space - at)] = n;
            }
            at = end + 1;
        }
        return out;
    }
    std::vector<uint64_t> numbers(const std::string& name) const {
        std::vector<uint64_t> out;
        const std::string content = text(name);
        for (const char *at = content.data(), *end = at + content.size(); at < end;) {
            uint64_t n = 0;
            const auto [next, error] = std::from_chars(at, end, n);
            if (error == std::errc()) out.push_back(n);
            at = next + 1;
        }
        return out;
    }
};

Files files_of(const cgroups::Cgroup& cgroup, const std::string& controller) {
    auto dir = cgroup.directory_of(controller);
    return {dir ? *std::move(dir) : ""};
}

Json cpu_v1(const cgroups::Cgroup& cgroup) {
    const Files account = files_of(cgroup, "cpuacct");
    auto split = account.keyed("cpuacct.stat");
    auto throttling = files_of(cgroup, "cpu").keyed("cpu.stat");
    return {{"usage",
             {{"total", account.number("cpuacct.usage")},
              {"percpu", account.numbers("cpuacct.usage_percpu")},
              {"kernel", split["system"] * kNsPerTick},
              {"user", split["user"] * kNsPerTick}}},
            {"throttling",
             {{"periods", throttling["nr_periods"]},
              {"throttledPeriods", throttling["nr_throttled"]},
              {"throttledTime", throttling["throttled_time"]}}}};
}

Json cpu_v2(const cgroups::Cgroup& cgroup) {
    auto stat = files_of(cgroup, "cpu").keyed("cpu.stat");
    return {{"usage",
             {{"total", stat["usage_usec"] * 1000},
              {"kernel", stat["system_usec"] * 1000},
              {"user", stat["user_usec"] * 1000}}},
            {"throttling",
             {{"periods", stat["nr_periods"]},
              {"throttledPeriods", stat["nr_throttled"]},
              {"throttledTime", stat["throttled_usec"] * 1000}}}};
}

Json usage_v1(const Files& files, const std::string& prefix) {
    return {{"limit", files.number(prefix + ".limit_in_bytes")},
            {"usage", files.number(prefix + ".usage_in_bytes")},
            {"max", files.number(prefix + ".max_usage_in_bytes")},
            {"failcnt", files.number(prefix + ".failcnt")}};
}

Json memory_v1(const cgroups::Cgroup& cgroup) {
    const Files files = files_of(cgroup, "memory");
    auto raw = files.keyed("memory.stat");
    return {{"cache", raw["cache"]},
            {"usage", usage_v1(files, "memory")},
            {"swap", usage_v1(files, "memory.memsw")},
            {"kernel", usage_v1(files, "memory.kmem")},
            {"kernelTCP", usage_v1(files, "memory.kmem.tcp")},
            {"raw", raw}};
}

Json memory_v2(const cgroups::Cgroup& cgroup) {
    const Files files = files_of(cgroup, "memory");
    auto raw = files.keyed("memory.stat");
    const auto usage = [&files](const std::string& prefix) -> Json {
        return {{"limit", files.number(prefix + ".max")},
                {"usage", files.number(prefix + ".current")},
                {"max", files.number(prefix + ".peak")},
                {"failcnt", files.keyed(prefix + ".events")["max"]}};
    };
    return {{"cache", raw["file"]}, {"usage", usage("memory")}, {"swap", usage("memory.swap")}, {"raw", raw}};
}

Json pids(const cgroups::Cgroup& cgroup) {
    const Files files = files_of(cgroup, "pids");
    return {{"current", files.number("pids.current")}, {"limit", files.number("pids.max")}};
}

uint64_t number_at(std::string_view text, size_t at) {
    uint64_t n = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), n);
    return n;
}

// v1 "8:0 Read 4096" a line.
Json blkio_entries_v1(const Files& files, const std::string& name) {
    Json out = Json::array();
    const std::string content = files.text(name);
    for (size_t at = 0; at < content.size();) {
        const size_t end = std::min(content.find('\n', at), content.size());
        const std::string line = content.substr(at, end - at);
        const size_t colon = line.find(':');
        const size_t first = line.find(' ');
        const size_t second = line.find(' ', first + 1);
        if (colon < first && second != std::string::npos) {
            out.push_back({{"major", number_at(line, 0)},
                           {"minor", number_at(line, colon + 1)},
                           {"op", line.substr(first + 1, second - first - 1)},
                           {"value", number_at(line, second + 1)}});
        }
        at = end + 1;
    }
    return out;
}

Json blkio_v1(const cgroups::Cgroup& cgroup) {
    const Files files = files_of(cgroup, "blkio");
    Json out = Json::object();
    const auto add = [&](const char* key, const char* file) {
        Json entries = blkio_entries_v1(files, file);
        if (!entries.empty()) out[key] = std::move(entries);
    };
    add("ioServiceBytesRecursive", "blkio.throttle.io_service_bytes_recursive");
    add("ioServicedRecursive", "blkio.throttle.io_serviced_recursive");
    return out;
}

// v2 "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" a line.
Json blkio_v2(const cgroups::Cgroup& cgroup) {
    constexpr std::pair<std::string_view, std::string_view> kBytes[] = {
        {"rbytes=", "Read"}, {"wbytes=", "Write"}, {"dbytes=", "Discard"}};
    constexpr std::pair<std::string_view, std::string_view> kCounts[] = {
        {"rios=", "Read"}, {"wios=", "Write"}, {"dios=", "Discard"}};
    Json bytes = Json::array();
    Json counts = Json::array();
    const std::string content = files_of(cgroup, "io").text("io.stat");
    for (size_t at = 0; at < content.size();) {
        const size_t end = std::min(content.find('\n', at), content.size());
        const std::string line = content.substr(at, end - at);
        const size_t colon = line.find(':');
        const auto add = [&](Json& into, const auto& names) {
            for (const auto& [key, op] : names) {
                const size_t found = line.find(key);
                if (found == std::string::npos || colon == std::string::npos) continue;
                into.push_back({{"major", number_at(line, 0)},
                                {"minor", number_at(line, colon + 1)},
                                {"op", op},
                                {"value", number_at(line, found + key.size())}});
            }
        };
        add(bytes, kBytes);
        add(counts, kCounts);
        at = end + 1;
    }
    Json out = Json::object();
    if (!bytes.empty()) out["ioServiceBytesRecursive"] = std::move(bytes);
    if (!counts.empty()) out["ioServicedRecursive"] = std::move(counts);
    return out;
}

// "hugetlb.2MB.usage_in_bytes" (v1), "hugetlb.2MB.current" (v2).
Json hugetlb(const cgroups::Cgroup& cgroup, bool v2) {
    Json out = Json::object();
    const Files files = files_of(cgroup, "hugetlb");
    if (files.dir.empty()) return out;
    const std::string suffix = v2 ? ".current" : ".usage_in_bytes";
    auto dir = Dir::open(files.dir);
    if (!dir) return out;
    for (const std::string& name : dir->list().value_or({})) {
        const bool reservation = name.ends_with(".rsvd" + suffix);
        if (!name.starts_with("hugetlb.") || !name.ends_with(suffix) || reservation) continue;
        const std::string size = name.substr(8, name.size() - 8 - suffix.size());
        const std::string base = "hugetlb." + size;
        out[size] = {{"usage", files.number(name)}};
        if (v2) out[size]["failcnt"] = files.keyed(base + ".events")["max"];
        if (!v2) out[size]["max"] = files.number(base + ".max_usage_in_bytes");
        if (!v2) out[size]["failcnt"] = files.number(base + ".failcnt");
    }
    return out;
}

}  // namespace

std::string stats_event(const std::string& id, const cgroups::Cgroup& cgroup) {
    const bool v2 = cgroup.hierarchies().version == cgroups::Version::V2;
    const Json data = {{"cpu", v2 ? cpu_v2(cgroup) : cpu_v1(cgroup)},
                       {"memory", v2 ? memory_v2(cgroup) : memory_v1(cgroup)},
                       {"pids", pids(cgroup)},
                       {"blkio", v2 ? blkio_v2(cgroup) : blkio_v1(cgroup)},
                       {"hugetlb", hugetlb(cgroup, v2)},
                       {"intel_rdt", Json::object()},
                       {"network_interfaces", nullptr}};
    const Json event = {{"type", "stats"}, {"id", id}, {"data", data}};
    return event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string oom_event(const std::string& id) {
    const Json event = {{"type", "oom"}, {"id", id}};
    return event.dump() + "\n";
}

}  // namespace orlop::oci
